//! Run directories and traces.

use std::fs;
use std::io::Read;
use std::sync::{Arc, Mutex};

use lz4_flex::frame::FrameDecoder;
use proptest::prelude::*;
use snowglobe_abi::spec::YieldPoint;
use snowglobe_abi::trace::{Encoder, Kind, zigzag};
use snowglobe_world::rundir::{Hashes, Recorder, RunDir, Store, changed_binaries, hash_binaries};
use snowglobe_world::trace::{self, Event, StreamCheck, TraceError, TraceReader, TraceWriter, compare, hex};

/// Builds a stream.
#[derive(Default)]
struct Stream(Vec<u8>);

impl Stream {
    fn record(&mut self, kind: Kind, dt: u64, task: u32, nums: &[u64], blobs: &[&[u8]]) -> &mut Stream {
        let mut encoder = Encoder::new();
        encoder.begin(kind, dt, task);
        for num in nums {
            encoder.num(*num);
        }
        for blob in blobs {
            encoder.blob(blob);
        }
        encoder.finish();
        self.0.extend_from_slice(encoder.records());
        self
    }

    /// A host with one process that reads a file and prints a line.
    fn short_run(value: i64) -> Vec<u8> {
        let mut stream = Stream::default();
        stream
            .record(Kind::Host, 0, 0, &[0, 1], &[b"db"])
            .record(Kind::Spawn, 10, 1, &[0, 100, 101, 0], &[b"sh"])
            .record(Kind::Exec, 5, 1, &[], &[b"/bin/server"])
            .record(Kind::Begin, 100, 1, &[257, 0xffff_ff9c, 1, 0], &[b"/etc/hosts"])
            .record(Kind::Block, 1, 1, &[257, 0], &[])
            .record(Kind::Wake, 1, 1, &[], &[])
            .record(Kind::Return, 300, 1, &[257, zigzag(value)], &[])
            .record(Kind::Output, 1, 1, &[0, 1, 1], &[b"hello\n"])
            .record(Kind::Output, 1, 1, &[0, 2, 2], &[b"oops\n"])
            .record(Kind::Exit, 1, 1, &[0x100], &[]);
        stream.0
    }
}

fn read(bytes: &[u8]) -> Vec<Event> {
    TraceReader::new(bytes).map(Result::unwrap).collect()
}

#[test]
fn events_have_absolute_times_and_know_their_process_and_call() {
    let events = read(&Stream::short_run(3));
    assert_eq!(events.iter().map(|e| e.time).collect::<Vec<_>>(), [0, 10, 15, 115, 116, 117, 417, 418, 419, 420]);
    assert_eq!(events.iter().map(|e| e.index).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    let returned = &events[6];
    let task = returned.task.as_ref().unwrap();
    assert_eq!((task.host, task.pid, task.tid, task.program.as_str()), (0, 100, 101, "server"));
    assert_eq!(returned.call.as_ref().unwrap().nums[0], 257);
    assert!(events[3].call.is_none() && events[5].call.is_some() && events[7].call.is_none());
    assert!(events.iter().all(|e| e.host() == Some(0)));
}

#[test]
fn a_trace_file_is_the_stream_whatever_the_pieces_it_came_in() {
    let dir = tempfile::tempdir().unwrap();
    let stream = Stream::short_run(3).repeat(20_000);
    let mut digests = Vec::new();
    for piece in [1000, 99_999, stream.len()] {
        let path = dir.path().join(format!("{piece}.lz4"));
        let mut writer = TraceWriter::create(&path).unwrap();
        stream.chunks(piece).for_each(|bytes| writer.write(bytes).unwrap());
        let summary = writer.finish().unwrap();
        assert_eq!(summary.bytes, stream.len() as u64);
        assert_eq!(summary.stored, fs::metadata(&path).unwrap().len());
        let (file, mut read) = (fs::File::open(&path).unwrap(), Vec::new());
        FrameDecoder::new(file).read_to_end(&mut read).unwrap();
        assert!(read == stream);
        digests.push(summary.digest);
        assert_eq!(trace::open(&path).unwrap().map(Result::unwrap).count(), 200_000);
    }
    assert!(digests.iter().all(|digest| *digest == *blake3::hash(&stream).as_bytes()));
    assert_eq!(hex(&digests[0]), blake3::hash(&stream).to_hex().as_str());
}

#[test]
fn a_trace_that_was_cut_gives_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.lz4");
    let mut writer = TraceWriter::create(&path).unwrap();
    writer.write(&Stream::short_run(3)).unwrap();
    writer.flush().unwrap();
    writer.write(&Stream::short_run(3).repeat(100_000)).unwrap();
    writer.finish().unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let events: Vec<_> = trace::open(&path).unwrap().collect();
    assert!(events.len() > 10);
    assert!(matches!(events.last(), Some(Err(TraceError::Cut(_)))), "{:?}", events.last());
    assert!(events[..events.len() - 1].iter().all(Result::is_ok));
    fs::write(&path, b"no frame at all").unwrap();
    assert!(matches!(trace::open(&path).unwrap().next(), Some(Err(TraceError::Damaged(0)))));
    fs::write(&path, b"").unwrap();
    assert!(matches!(trace::open(&path).unwrap().next(), Some(Err(TraceError::Cut(0)))));
}

#[test]
fn a_trace_is_never_written_over_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.lz4");
    fs::write(&path, "precious").unwrap();
    assert!(TraceWriter::create(&path).is_err_and(|e| e.kind() == std::io::ErrorKind::AlreadyExists));
}

#[test]
fn a_full_disk_is_told_and_hangs_nothing() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut writer = TraceWriter::to_file(full).unwrap();
    let noise: Vec<u8> =
        (0..1_000_000u32).flat_map(|i| blake3::hash(&i.to_le_bytes()).as_bytes()[..4].to_vec()).collect();
    let told = (0..100).find_map(|_| writer.write(&noise).err()).expect("it is told");
    assert_eq!(told.kind(), std::io::ErrorKind::StorageFull);
    assert!(writer.finish().is_err());
}

#[test]
fn equal_traces_have_no_difference_and_others_name_the_first() {
    let (a, b) = (Stream::short_run(3), Stream::short_run(-2));
    let same = compare(TraceReader::new(&a[..]), TraceReader::new(&a[..])).unwrap();
    assert_eq!((same.equal, same.difference), (10, None));
    let found = compare(TraceReader::new(&a[..]), TraceReader::new(&b[..])).unwrap().difference.unwrap();
    assert_eq!((found.index, found.before.len()), (6, 5));
    let (left, right) = (found.left.unwrap(), found.right.unwrap());
    assert_eq!((left.record.nums[1], right.record.nums[1]), (zigzag(3), zigzag(-2)));
    assert_eq!(left.call.unwrap().blobs[0], b"/etc/hosts");
    let short = compare(TraceReader::new(&a[..]), TraceReader::new(&[][..])).unwrap().difference.unwrap();
    assert!(short.index == 0 && short.left.is_some() && short.right.is_none());
    let end = compare(TraceReader::new(&[][..]), TraceReader::new(&a[..])).unwrap().difference.unwrap();
    assert!(end.left.is_none() && end.right.is_some());
}

#[test]
fn a_recorder_keeps_the_trace_and_what_guests_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let run = Store::of(dir.path()).create("demo").unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    let mut recorder = Recorder::new(&run, vec!["db".into()])
        .unwrap()
        .listen(Box::new(move |host, stream, bytes| ear.lock().unwrap().push((host, stream, bytes.to_vec()))));
    for byte in Stream::short_run(3) {
        assert!(!recorder.feed(&[byte]).unwrap());
    }
    let recorded = recorder.finish().unwrap();
    assert!(recorded.comparison.is_none());
    assert_eq!(fs::read(run.host_path("db").join("stdout")).unwrap(), b"hello\n");
    assert_eq!(fs::read(run.host_path("db").join("stderr")).unwrap(), b"oops\n");
    assert_eq!(*heard.lock().unwrap(), [(0, 1, b"hello\n".to_vec()), (0, 2, b"oops\n".to_vec())]);
    assert_eq!(run.trace().unwrap().count(), 10);
}

#[test]
fn a_recorder_compares_with_an_earlier_run_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::of(dir.path());
    let record = |value: i64, with: Option<&RunDir>| {
        let run = store.create("demo").unwrap();
        let mut recorder = Recorder::new(&run, vec!["db".into()]).unwrap();
        if let Some(earlier) = with {
            recorder = recorder.compare_with(StreamCheck::new(earlier.trace().unwrap()));
        }
        let stops: Vec<bool> = Stream::short_run(value).chunks(7).map(|bytes| recorder.feed(bytes).unwrap()).collect();
        (run, stops, recorder.finish().unwrap())
    };
    let (first, ..) = record(3, None);
    let (_, stops, recorded) = record(3, Some(&first));
    assert!(!stops.contains(&true));
    assert_eq!(recorded.comparison.unwrap().difference, None);
    let (_, stops, recorded) = record(-2, Some(&first));
    assert!(!stops[0] && *stops.last().unwrap());
    assert_eq!(recorded.comparison.unwrap().difference.unwrap().index, 6);
}

#[test]
fn runs_are_numbered_and_found_by_number_name_and_link() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::of(dir.path());
    assert!(store.open("latest").unwrap_err().advice().unwrap().contains("snowglobe run"));
    let ids: Vec<String> = ["etcd", "a/b c", ""].iter().map(|label| store.create(label).unwrap().id).collect();
    assert_eq!(ids, ["0001-etcd", "0002-a-b-c", "0003-world"]);
    assert_eq!(store.list().unwrap().len(), 3);
    for name in ["latest", "3", "0003", "0003-world"] {
        assert_eq!(store.open(name).unwrap().id, "0003-world", "{name}");
    }
    let problem = store.open("0001-etc").unwrap_err();
    assert!(problem.advice().unwrap().contains("did you mean `0001-etcd`?"), "{problem}");
    fs::remove_dir_all(dir.path().join(".snowglobe/runs/0003-world")).unwrap();
    assert_eq!(store.open("latest").unwrap().id, "0002-a-b-c", "a link to nowhere falls back");
    assert_eq!(store.create("x").unwrap().id, "0003-x");
    let own = dir.path().join("own");
    RunDir::create_at(&own).unwrap();
    assert!(RunDir::create_at(&own).unwrap_err().message().contains("is not empty"));
    assert!(store.open(own.to_str().unwrap()).unwrap_err().message().contains("no run.json"));
}

#[test]
fn a_run_of_another_format_is_refused_for_that() {
    let dir = tempfile::tempdir().unwrap();
    let run = Store::of(dir.path()).create("demo").unwrap();
    fs::write(run.path.join("run.json"), br#"{"format": 999, "run": {"id": "0001-demo"}}"#).unwrap();
    let problem = run.record().unwrap_err();
    assert!(problem.message().contains("its format is 999, and this one knows 1"), "{}", problem.message());
}

#[test]
fn learned_loops_are_kept_once_and_only_where_a_file_holds_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::of(dir.path());
    store.create("x").unwrap();
    let point = |file: &str, offset| YieldPoint { file: file.into(), offset, made: None };
    assert_eq!(store.yield_points().unwrap(), []);
    store.learn(&[point("/bin/b", 2), point("", 9)]).unwrap();
    store.learn(&[point("/bin/b", 2), point("/bin/a", 1)]).unwrap();
    assert_eq!(store.yield_points().unwrap(), [point("/bin/a", 1), point("/bin/b", 2)]);
}

#[test]
fn a_program_that_changed_since_a_run_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let tool = dir.path().join("tool");
    fs::write(&tool, "one").unwrap();
    let executed = [(0, "/w/tool".to_owned(), Some(tool.display().to_string())), (0, "/made/inside".to_owned(), None)];
    let recorded = hash_binaries(&executed, &["db".to_owned()], &mut Hashes::default());
    assert_eq!(recorded[0].blake3.as_deref(), Some(blake3::hash(b"one").to_hex().as_str()));
    assert_eq!((recorded[1].host.as_str(), &recorded[1].blake3), ("db", &None));
    assert!(changed_binaries(&recorded).is_empty());
    fs::write(&tool, "two").unwrap();
    assert_eq!(changed_binaries(&recorded), [&recorded[0]]);
}

proptest! {
    #[test]
    fn bytes_of_any_kind_never_stop_the_trace_reader(bytes in prop::collection::vec(any::<u8>(), 0..600), packed in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        fs::write(&path, if packed { crate::packed(&bytes) } else { bytes.clone() }).unwrap();
        for event in trace::open(&path).unwrap() {
            let _ = event;
        }
        let _ = compare(TraceReader::new(&bytes[..]), TraceReader::new(&bytes[..]));
        let _ = trace::Scanner::default().feed(&bytes, |_, _| {});
    }

    #[test]
    fn a_stream_that_was_damaged_in_places_never_stops_the_trace_reader(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = Stream::short_run(3);
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert!(TraceReader::new(&bytes[..]).count() < 200);
    }
}

#[test]
fn what_a_process_kept_goes_when_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::of(dir.path());
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let left = store.dir().join(format!(".scratch-{}", gone.id()));
    let other = store.dir().join(".scratch-of-somebody");
    for folder in [&left, &other, &store.scratch()] {
        std::fs::create_dir_all(folder.join("run")).unwrap();
    }
    store.sweep_scratch();
    assert!(!left.exists() && other.exists() && store.scratch().exists());
}
