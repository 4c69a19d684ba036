//! Whatever was promised is there after the power failed, at any moment, whatever the disk kept.

mod simulated;

use std::collections::BTreeMap;

use broker::log::{Log, SettingChange, SettingScope};
use broker::offsets::Place;
use bytes::Bytes;
use simulated::{SimDisk, append, batch, batch_at, create, open, put, stored};
use uuid::Uuid;
use wire::error::ErrorCode;

/// Small files, so that a short script rolls.
const SMALL: &[(&str, &str)] = &[("segment.bytes", "1500")];
/// Survivals tried at each cut.
const CHOICES: u64 = 16;

/// What clients were told, in so far as it must hold after a crash.
#[derive(Clone, Debug, Default)]
struct Promises {
    topics: BTreeMap<String, Uuid>,
    gone: Vec<Uuid>,
    batches: Vec<(Place, i64, Bytes)>,
    /// High watermarks that were seen.
    marks: BTreeMap<Place, i64>,
    /// Log starts that were asked for, and those that were confirmed.
    asked_starts: BTreeMap<Place, i64>,
    starts: BTreeMap<Place, i64>,
    group_entries: Vec<(u16, Bytes)>,
    producer: Option<i64>,
    settings: BTreeMap<String, String>,
    /// The last durable batch of an idempotent producer.
    retries: BTreeMap<Place, (Bytes, i64)>,
}

impl Promises {
    async fn create(&mut self, log: &Log, name: &str) -> Result<Uuid, ErrorCode> {
        let id = create(log, name, 2, SMALL).await?;
        self.topics.insert(name.to_owned(), id);
        Ok(id)
    }

    async fn put(&mut self, log: &Log, place: Place, records: Bytes) -> Result<(), ErrorCode> {
        let base = put(log, place, records.clone()).await?;
        self.batches.push((place, base, records));
        self.see(log, place);
        Ok(())
    }

    fn see(&mut self, log: &Log, place: Place) {
        if let Some(view) = log.view(place) {
            self.marks.insert(place, view.high_watermark);
        }
    }

    async fn put_once(
        &mut self,
        log: &Log,
        place: Place,
        producer: i64,
        sequence: i32,
    ) -> Result<(), ErrorCode> {
        let text = format!("idempotent-{sequence}");
        let records = batch_at(simulated::START.0, &[&text], Some((producer, 0, sequence)));
        let base = put(log, place, records.clone()).await?;
        self.retries.insert(place, (records.clone(), base));
        self.batches.push((place, base, records));
        Ok(())
    }

    async fn group_entry(&mut self, log: &Log, kind: u16, body: &str) -> Result<(), ErrorCode> {
        let entry = (kind, Bytes::from(body.to_owned()));
        let ticket = log.groups_journal().append(std::slice::from_ref(&entry))?;
        ticket
            .durable()
            .await
            .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
        self.group_entries.push(entry);
        Ok(())
    }

    async fn delete_records(
        &mut self,
        log: &Log,
        place: Place,
        offset: i64,
    ) -> Result<(), ErrorCode> {
        self.asked_starts.insert(place, offset);
        let start = log.delete_records(place, offset).await?;
        self.starts.insert(place, start);
        Ok(())
    }
}

/// About 200 changes of the disk: everything the log does.
async fn script(log: &Log, promises: &mut Promises) -> Result<(), ErrorCode> {
    let first = promises.create(log, "first").await?;
    let [zero, one] = [0, 1].map(|partition| Place {
        topic: first,
        partition,
    });
    let producer = log.next_producer_id().await?;
    promises.producer = Some(producer);
    let long = "x".repeat(300);
    for round in 0..6 {
        promises.put_once(log, zero, producer, round).await?;
        promises
            .put(log, zero, batch(&[&format!("zero-{round}"), &long]))
            .await?;
        promises.put(log, one, batch(&["one", &long])).await?;
        promises
            .group_entry(log, 3, &format!("commit-{round}"))
            .await?;
    }
    let doomed = promises.create(log, "doomed").await?;
    let place = Place {
        topic: doomed,
        partition: 1,
    };
    promises.put(log, place, batch(&["doomed"])).await?;
    promises.delete_records(log, zero, 9).await?;
    promises.topics.remove("doomed");
    promises
        .batches
        .retain(|(place, _, _)| place.topic != doomed);
    promises.marks.retain(|place, _| place.topic != doomed);
    log.delete_topic(doomed).await?;
    promises.gone.push(doomed);
    let change = SettingChange {
        key: "retention.ms".to_owned(),
        value: Some("1".to_owned()),
    };
    log.change_settings(&SettingScope::Topic("first".to_owned()), vec![change])
        .await?;
    promises
        .settings
        .insert("retention.ms".to_owned(), "1".to_owned());
    // Written and not waited for: may be there or not.
    for text in ["maybe-1", "maybe-2"] {
        append(log, one, batch(&[text]))
            .await
            .map_err(|refusal| refusal.code)?;
    }
    promises.put(log, one, batch(&["last"])).await?;
    log.grow_topic(first, 3).await?;
    log.stop().await
}

/// Opens the disk and holds the log to its promises.
async fn check(disk: &SimDisk, promises: &Promises, context: &str) -> Log {
    let opened = open(disk).await;
    assert!(opened.damage.is_empty(), "{context}: {:?}", opened.damage);
    let log = opened.log;
    let topics = log.topics();
    for (name, id) in &promises.topics {
        let found = topics
            .by_name(name)
            .unwrap_or_else(|| panic!("{context}: {name} is gone"));
        assert_eq!(found.id, *id, "{context}");
    }
    for id in &promises.gone {
        assert!(
            topics.by_id(*id).is_none(),
            "{context}: a deleted topic is back"
        );
    }
    for (key, value) in &promises.settings {
        let settings = &topics.by_name("first").unwrap().settings;
        assert_eq!(settings.get(key), Some(value.as_str()), "{context}");
    }
    assert!(
        opened.groups.starts_with(&promises.group_entries),
        "{context}: group entries are lost"
    );
    check_records(&log, promises, context).await;
    check_retries(&log, promises, context).await;
    if let Some(producer) = promises.producer {
        let next = log.next_producer_id().await.unwrap();
        assert!(
            next > producer,
            "{context}: producer id {next} is given twice"
        );
    }
    log
}

async fn check_records(log: &Log, promises: &Promises, context: &str) {
    for (place, mark) in &promises.marks {
        let view = log.view(*place).unwrap();
        assert!(
            view.high_watermark >= *mark,
            "{context}: {view:?} is below {mark}"
        );
        let confirmed = promises.starts.get(place).copied().unwrap_or(0);
        let asked = promises.asked_starts.get(place).copied().unwrap_or(0);
        assert!(
            (confirmed..=asked).contains(&view.log_start),
            "{context}: {view:?}"
        );
        let all = stored(log, *place).await;
        for (_, base, records) in promises
            .batches
            .iter()
            .filter(|(other, _, _)| other == place)
        {
            let found = all.iter().find(|batch| batch.header().base_offset == *base);
            match found {
                // Base offset and epoch are the log's, the rest is the producer's.
                Some(found) => assert_eq!(
                    found.bytes()[16..],
                    records[16..],
                    "{context}: offset {base}"
                ),
                None => assert!(*base < view.log_start, "{context}: offset {base} is lost"),
            }
        }
    }
}

async fn check_retries(log: &Log, promises: &Promises, context: &str) {
    for (place, (records, base)) in &promises.retries {
        let again = put(log, *place, records.clone()).await;
        assert_eq!(again, Ok(*base), "{context}: a retry is not recognised");
    }
}

/// The script until it fails, on a disk that was told when to fail.
async fn run(disk: &SimDisk) -> Promises {
    let mut promises = Promises::default();
    if let Ok(opened) = simulated::try_open(disk, 7, &simulated::clock()).await {
        let _ = script(&opened.log, &mut promises).await;
    }
    promises
}

/// Once more on what is left: a further batch, then another crash.
async fn check_twice(disk: &SimDisk, promises: &Promises, seed: u64, context: &str) {
    let log = check(disk, promises, context).await;
    let mut promises = promises.clone();
    if let Some(topic) = promises.topics.get("first") {
        let place = Place {
            topic: *topic,
            partition: 0,
        };
        promises
            .put(&log, place, batch(&["after the crash"]))
            .await
            .unwrap();
    }
    drop(log);
    let again = match seed % 2 {
        0 => disk.after_kill(),
        _ => disk.after_power_loss(seed),
    };
    check(&again, &promises, &format!("{context}, again")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_at_any_moment() {
    let whole = SimDisk::new();
    let promises = run(&whole).await;
    assert_eq!(promises.batches.len(), 19, "the script runs to its end");
    let changes = whole.changes();
    assert!(changes > 150, "{changes} changes");
    for cut in 1..=changes + 1 {
        let disk = SimDisk::new();
        disk.cut_power_at(cut);
        let promises = run(&disk).await;
        for choice in 0..CHOICES {
            let seed = cut * 1_000 + choice;
            let context = format!("cut at {cut} of {changes}, choice {choice}");
            check_twice(&disk.after_power_loss(seed), &promises, seed, &context).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process_may_be_killed_at_any_moment() {
    let whole = SimDisk::new();
    run(&whole).await;
    for cut in 1..=whole.changes() {
        let disk = SimDisk::new();
        disk.cut_power_at(cut);
        let promises = run(&disk).await;
        check_twice(
            &disk.after_kill(),
            &promises,
            cut,
            &format!("killed at {cut}"),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_sync_may_fail_and_lose_its_pages() {
    let whole = SimDisk::new();
    run(&whole).await;
    let syncs = whole.syncs();
    assert!(syncs > 40, "{syncs} syncs");
    for number in 1..=syncs {
        let disk = SimDisk::new();
        disk.fail_sync(number);
        let promises = run(&disk).await;
        let context = format!("sync {number} of {syncs} failed");
        // The restart still sees the lost pages; what it then promises must not rest on them.
        let restarted = disk.after_kill();
        drop(check(&restarted, &promises, &context).await);
        for choice in 0..CHOICES {
            let context = format!("{context}, power lost after the restart, choice {choice}");
            let seed = number * 1_000 + choice;
            check_twice(&restarted.after_power_loss(seed), &promises, seed, &context).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_during_recovery() {
    let disk = SimDisk::new();
    let whole = SimDisk::new();
    run(&whole).await;
    // Before the stop, so that there is something to recover.
    disk.cut_power_at(whole.changes() - 12);
    let promises = run(&disk).await;
    let killed = disk.after_kill();
    drop(check(&killed, &promises, "recovery without a cut").await);
    let changes = killed.changes();
    for cut in 1..=changes {
        let recovering = disk.after_kill();
        recovering.cut_power_at(cut);
        let _ = simulated::try_open(&recovering, 7, &simulated::clock()).await;
        for choice in 0..CHOICES {
            let seed = cut * 1_000 + choice;
            let context = format!("recovery cut at {cut} of {changes}, choice {choice}");
            check_twice(
                &recovering.after_power_loss(seed),
                &promises,
                seed,
                &context,
            )
            .await;
        }
    }
}

/// A recovery carries over what the page cache shows. The power may fail when only a part of that is in the new file, and
/// take what the old file never had: nobody was told of it, and the partition goes on without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_while_a_recovery_carries_over_what_was_never_durable() {
    let disk = SimDisk::new();
    let mut promises = Promises::default();
    let log = open(&disk).await.log;
    let topic = promises.create(&log, "first").await.unwrap();
    let place = Place {
        topic,
        partition: 0,
    };
    promises
        .put(&log, place, batch(&["durable"]))
        .await
        .unwrap();
    disk.fail_sync(disk.syncs() + 1);
    for text in ["never", "durable"] {
        let _ = append(&log, place, batch(&[text])).await;
    }
    drop(log);
    let whole = disk.after_kill();
    drop(check(&whole, &promises, "recovery without a cut").await);
    for cut in 1..=whole.changes() {
        let recovering = disk.after_kill();
        recovering.cut_power_at(cut);
        let _ = simulated::try_open(&recovering, 7, &simulated::clock()).await;
        for choice in 0..4 * CHOICES {
            let seed = cut * 1_000 + choice;
            let context = format!("recovery cut at {cut}, choice {choice}");
            check_twice(
                &recovering.after_power_loss(seed),
                &promises,
                seed,
                &context,
            )
            .await;
        }
    }
}
