//! Entries of a timeline that cannot happen: at a time that does not come, to a host that is down.

use snowglobe_abi::fault::{Fault, FaultPlan, HostVerb, Planned, When};
use snowglobe_abi::spec::Nanos;

use super::parse::Reader;
use crate::problem::Span;
use crate::units;

impl Reader<'_> {
    /// Times that cannot come.
    pub(super) fn times(&mut self, plan: &FaultPlan, places: &[Span]) {
        for (planned, span) in plan.timeline.iter().zip(places) {
            let When::At(at) = planned.when else { continue };
            let shown = units::show_duration(at);
            if let Some(until) = self.scope.until.filter(|until| at >= *until) {
                let message = format!("a fault at {shown}, and the world ends at {}", units::show_duration(until));
                self.error(*span, &message, "make it earlier, or `until` later");
            } else if let Some(quiet) = plan.quiet_from.filter(|quiet| at >= *quiet) {
                let message =
                    format!("a fault at {shown}, and the quiet time begins at {}", units::show_duration(quiet));
                self.error(*span, &message, "make it earlier, or the quiet time shorter");
            }
        }
    }

    /// Faults of a host that is down.
    pub(super) fn contradictions(&mut self, plan: &FaultPlan, places: &[Span]) {
        let downs: Vec<(Nanos, Nanos, &[u32], Span)> =
            plan.timeline.iter().zip(places).filter_map(|(planned, span)| down(planned, *span)).collect();
        for (planned, span) in plan.timeline.iter().zip(places) {
            let (When::At(at), Fault::Host { hosts, .. }) = (&planned.when, &planned.fault) else { continue };
            let already = |(from, until, down, place): &&(Nanos, Nanos, &[u32], Span)| {
                place != span && (from..until).contains(&at) && down.iter().any(|host| hosts.contains(host))
            };
            let Some((_, until, down, place)) = downs.iter().find(already).copied() else { continue };
            let host =
                down.iter().find(|host| hosts.contains(host)).map_or_else(String::new, |&host| self.scope.name(host));
            let how_long = match until {
                Nanos::MAX => "for good".to_owned(),
                until => format!("until {}", units::show_duration(until)),
            };
            let message = format!("{}: `{}` strikes {host}, which is down {how_long}", self.what, planned.fault.kind());
            let help = "leave one of them out, or let it come back before with `restart`";
            self.problems.clash((*span, "this finds it down"), (place, "since this"), message, help);
        }
    }
}

/// When a fault puts hosts down, and when they are back.
fn down(planned: &Planned, span: Span) -> Option<(Nanos, Nanos, &[u32], Span)> {
    let (When::At(at), Fault::Host { hosts, verb }) = (&planned.when, &planned.fault) else { return None };
    let (restart, for_good) = match verb {
        HostVerb::Kill { restart } => (restart, false),
        HostVerb::Stop { restart } | HostVerb::PowerLoss { restart } => (restart, true),
        _ => return None,
    };
    let until = match (planned.lasts, restart) {
        (None, None) if for_good => Nanos::MAX,
        (None, None) => return None,
        (lasts, restart) => at.saturating_add(lasts.unwrap_or(0)).saturating_add(restart.unwrap_or(0)),
    };
    Some((*at, until, hosts, span))
}
