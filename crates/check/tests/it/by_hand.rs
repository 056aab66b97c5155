//! Anomalies of transactions, one history each, as Adya, Elle and Hermitage tell them.

use super::expect;

const RC: &str = "append consistency=read-committed";
const SI: &str = "append consistency=snapshot-isolation";
const SER: &str = "append consistency=serializable";
const STRICT: &str = "append";

#[track_caller]
fn levels(text: &str, found: [&[&str]; 4]) {
    for (level, found) in [RC, SI, SER, STRICT].into_iter().zip(found) {
        expect(level, text, found);
    }
}

#[test]
fn dirty_write_g0() {
    let text = r#"0 txn [["append","x",1],["append","y",1]]
        1 txn [["append","x",2],["append","y",2]]
        0!; 1!
        2 txn [["r","x",null]]; 2! [["r","x",[1,2]]]
        2 txn [["r","y",null]]; 2! [["r","y",[2,1]]]"#;
    levels(text, [&["G0"]; 4]);
}

#[test]
fn aborted_read_g1a_and_intermediate_read_g1b() {
    let aborted = r#"0 txn [["append","x",1]]; 0-; 1 txn [["r","x",null]]; 1! [["r","x",[1]]]"#;
    levels(aborted, [&["G1a"]; 4]);
    let middle = r#"0 txn [["append","x",1],["append","x",2]]
        1 txn [["r","x",null]]; 1! [["r","x",[1]]]; 0!
        2 txn [["r","x",null]]; 2! [["r","x",[1,2]]]"#;
    // It also saw a part of a transaction as if it were before and after.
    for level in [RC, SI, SER, STRICT] {
        let out = super::judge(level, &super::short(middle));
        assert!(out.findings.iter().any(|f| f.key.ends_with("G1b")), "{level}");
    }
}

#[test]
fn dirty_update() {
    let text = r#"0 txn [["append","x",1]]; 0-; 1 txn [["append","x",2]]; 1!
        2 txn [["r","x",null]]; 2! [["r","x",[1,2]]]"#;
    levels(text, [&["G1a", "dirty-update"]; 4]);
}

#[test]
fn circular_information_flow_g1c() {
    let text = r#"0 txn [["append","x",1],["r","y",null]]
        1 txn [["append","y",1],["r","x",null]]
        0! [["append","x",1],["r","y",[1]]]
        1! [["append","y",1],["r","x",[1]]]"#;
    levels(text, [&["G1c"]; 4]);
}

#[test]
fn read_skew_g_single() {
    let text = r#"0 txn [["r","x",null],["r","y",null]]
        1 txn [["append","x",1],["append","y",1]]; 1!
        0! [["r","x",[]],["r","y",[1]]]"#;
    levels(text, [&[], &["G-single"], &["G-single"], &["G-single"]]);
}

#[test]
fn lost_update() {
    let text = r#"0 txn [["r","x",null],["append","x",1]]
        1 txn [["r","x",null],["append","x",2]]
        0! [["r","x",[]],["append","x",1]]
        1! [["r","x",[]],["append","x",2]]
        2 txn [["r","x",null]]; 2! [["r","x",[1,2]]]"#;
    let found: &[&str] = &["G-single", "lost-update"];
    levels(text, [&[], found, found, found]);
    // The first is overwritten and nobody sees it any more.
    let gone = text.replace("[1,2]", "[2]");
    let also: &[&str] = &["G-single", "G-single-realtime", "lost-update"];
    levels(&gone, [&[], found, found, also]);
}

#[test]
fn write_skew_g2() {
    let text = r#"0 txn [["r","x",null],["append","y",1]]
        1 txn [["r","y",null],["append","x",1]]
        0! [["r","x",[]],["append","y",1]]
        1! [["r","y",[]],["append","x",1]]
        2 txn [["r","x",null],["r","y",null]]; 2! [["r","x",[1]],["r","y",[1]]]"#;
    levels(text, [&[], &[], &["G2"], &["G2"]]);
}

#[test]
fn long_fork_is_no_snapshot() {
    let text = r#"0 txn [["append","x",1]]; 1 txn [["append","y",1]]
        2 txn [["r","x",null],["r","y",null]]; 3 txn [["r","x",null],["r","y",null]]
        0!; 1!; 2! [["r","x",[1]],["r","y",[]]]; 3! [["r","x",[]],["r","y",[1]]]"#;
    levels(text, [&[], &["G-nonadjacent"], &["G-nonadjacent"], &["G-nonadjacent"]]);
}

#[test]
fn a_stale_read_is_serializable_and_not_strictly() {
    let text = r#"0 txn [["append","x",1]]; 0!; 1 txn [["r","x",null]]; 1! [["r","x",[]]]
        2 txn [["r","x",null]]; 2! [["r","x",[1]]]"#;
    levels(text, [&[], &[], &[], &["G-single-realtime"]]);
}

#[test]
fn what_a_transaction_did_itself_must_show() {
    let own = r#"0 txn [["append","x",1],["r","x",null]]; 0! [["append","x",1],["r","x",[]]]"#;
    levels(own, [&[], &["internal"], &["internal"], &["internal"]]);
    let again = r#"1 txn [["append","x",1]]; 0 txn [["r","x",null],["r","x",null]]
        1!; 0! [["r","x",[]],["r","x",[1]]]"#;
    for level in [SI, SER, STRICT] {
        let out = super::judge(level, &super::short(again));
        assert!(out.findings.iter().any(|f| f.key.ends_with("internal")), "{level}");
    }
}

#[test]
fn lists_that_cannot_be_of_one_order() {
    let text = r#"0 txn [["append","x",1]]; 0!; 0 txn [["append","x",2]]; 0!
        1 txn [["r","x",null]]; 1! [["r","x",[1,2]]]; 1 txn [["r","x",null]]; 1! [["r","x",[2]]]"#;
    for level in [RC, SI, SER, STRICT] {
        let out = super::judge(level, &super::short(text));
        assert!(out.findings.iter().any(|f| f.key.ends_with("incompatible-order")), "{level}");
    }
    expect(RC, r#"0 txn [["r","x",null]]; 0! [["r","x",[9]]]"#, &["unexpected"]);
    expect(
        RC,
        r#"0 txn [["append","x",1]]; 0!; 0 txn [["r","x",null]]; 0! [["r","x",[1,1]]]"#,
        &["duplicate-elements"],
    );
}

#[test]
fn what_nobody_knows_may_have_happened_or_not() {
    levels(r#"0 txn [["append","x",1]]; 0?; 1 txn [["r","x",null]]; 1! [["r","x",[1]]]"#, [&[]; 4]);
    levels(r#"0 txn [["append","x",1]]; 0?; 1 txn [["r","x",null]]; 1! [["r","x",[]]]"#, [&[]; 4]);
}
