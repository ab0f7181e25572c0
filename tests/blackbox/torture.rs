//! Crashes in the midst of work: a process killed, a disk that lost its power, a disk that is full, a database
//! server that falls over. Whatever was acknowledged is there afterwards, once, and in order.
//!
//! `FUNDCYCLE_ROUNDS` says how often each is done: a few times here, 200 times by `just torture`.

mod crowd;
pub(crate) mod hostile;
mod ledger;
mod power;
mod room;

use std::path::Path;

use fundcycle_test_support::{Cluster, Database, on_both};
use reqwest::StatusCode;

use self::crowd::{Crowd, Pace};
use self::power::Power;
use self::room::SmallDisk;
use crate::support::{err, out, run};

on_both!(nothing_acknowledged_is_lost_or_doubled_by_a_kill);

/// How many crashes there are to be.
fn rounds() -> u32 {
    let said = std::env::var("FUNDCYCLE_ROUNDS").ok();
    said.map_or(3, |said| {
        said.parse().expect("FUNDCYCLE_ROUNDS is a number")
    })
}

/// The journal is whole, and the tables say what it says.
fn the_record_holds(folder: &Path, url: &str) {
    for command in [
        ["journal", "verify"].as_slice(),
        &["journal", "replay", "--check"],
    ] {
        let output = run(folder, &[command, &["--database", url]].concat());
        let said = out(&output) + &err(&output);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {said}");
    }
}

fn told(what: &str, crowd: &Crowd) {
    let ledger = &crowd.ledger;
    let (acknowledged, open) = (ledger.acknowledged(), ledger.left_open());
    println!(
        "{what}: {acknowledged} acknowledged, {open} left open by a crash, none lost, none doubled"
    );
}

async fn nothing_acknowledged_is_lost_or_doubled_by_a_kill(database: Database) {
    let mut crowd = Crowd::gather(&database, &vec![]).await;
    for round in 0..rounds() {
        crowd.works_until(Pace::of(round)).await;
        crowd.office.server.kill();
        crowd.comes_back(&database, &vec![]).await;
    }
    crowd.finishes().await;
    told("kill -9", &crowd);
    assert!(crowd.ledger.left_open() > 0, "no crash met work under way");
    crowd.office.server.kill();
    the_record_holds(database.folder.path(), &database.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_power_is_cut() {
    let (crowd, lost) = powers_cut(&Power::all(), rounds()).await;
    assert_eq!(lost, 0, "acknowledged and lost");
    told("power cut", &crowd);
}

/// The control: on a disk that keeps no log the same loses much, so the test can see a loss.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_forgets_its_log_loses_what_was_acknowledged() {
    let (_, lost) = powers_cut(&Power::forgets("-wal"), 3).await;
    println!("power cut, log not synced: {lost} acknowledged and lost");
    assert!(0 < lost);
}

/// Cuts the power so often; gives who worked, and how much of what was acknowledged is gone.
async fn powers_cut(power: &Power, rounds: u32) -> (Crowd, usize) {
    let database = power.database();
    let mut crowd = Crowd::gather(&database, &power.environment()).await;
    power.all_is_synced();
    let mut lost = 0;
    for round in 0..rounds {
        crowd.works_until(Pace::of(round)).await;
        crowd.office.server.kill();
        power.is_cut();
        crowd.serve(&database, &power.environment());
        lost += crowd.missing().await;
        if lost > 0 {
            break;
        }
    }
    if lost == 0 {
        crowd.finishes().await;
        crowd.office.server.kill();
        the_record_holds(database.folder.path(), &database.url);
    }
    (crowd, lost)
}

/// One after the other, so that each answer has to have a sync of its own before it.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_waits_for_the_disk() {
    let power = Power::all();
    let database = power.database();
    let mut crowd = Crowd::gather(&database, &power.environment()).await;
    for _ in 0..rounds() * 50 {
        let before = power.syncs();
        crowd.one_more().await;
        assert!(before < power.syncs(), "answered before the disk had it");
    }
    println!("{} answers, each after a sync of its own", rounds() * 50);
}

/// What a disk refuses to keep is not acknowledged, and nothing is lost once it works again.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_to_sync_acknowledges_nothing() {
    let power = Power::all();
    let database = power.database();
    let mut crowd = Crowd::gather(&database, &power.environment()).await;
    power.all_is_synced();
    for round in 0..rounds().min(20) {
        crowd.works_until(Pace::of(round)).await;
        crowd.rests().await;
        power.fails(true);
        for answer in crowd.each_asks().await {
            assert_eq!(answer, Some(StatusCode::SERVICE_UNAVAILABLE));
        }
        power.fails(false);
        // What the disk said it could not keep it may have lost.
        crowd.office.server.kill();
        power.is_cut();
        crowd.serve(&database, &power.environment());
        assert_eq!(crowd.missing().await, 0);
    }
    crowd.finishes().await;
    told("syncs that fail", &crowd);
    crowd.office.server.kill();
    the_record_holds(database.folder.path(), &database.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_database_server_falls_over() {
    let Some(cluster) = Cluster::of_its_own() else {
        return;
    };
    let database = Database::on(&cluster, "torture");
    let mut crowd = Crowd::gather(&database, &vec![]).await;
    for round in 0..rounds() {
        crowd.works_until(Pace::of(round)).await;
        cluster.falls_over();
        assert_eq!(crowd.missing().await, 0);
    }
    crowd.finishes().await;
    told("PostgreSQL fell over", &crowd);
    crowd.office.server.kill();
    the_record_holds(database.folder.path(), &database.url);
}

/// What finds no room is refused, and goes on without a restart once there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_loses_nothing() {
    let Some(disk) = SmallDisk::mounted() else {
        return;
    };
    let database = disk.database();
    let mut crowd = Crowd::gather(&database, &vec![]).await;
    let mut refused = 0;
    for round in 0..rounds().min(20) {
        crowd.works_until(Pace::of(round)).await;
        crowd.rests().await;
        disk.is_filled();
        while refused <= round {
            for answer in crowd.each_asks().await {
                match answer.unwrap() {
                    StatusCode::OK => {}
                    StatusCode::SERVICE_UNAVAILABLE => refused += 1,
                    other => panic!("{other}"),
                }
            }
        }
        assert_eq!(crowd.missing().await, 0, "reading needs no room");
        disk.has_room();
        crowd.finishes().await;
    }
    told("full disk", &crowd);
    crowd.office.server.kill();
    the_record_holds(database.folder.path(), &database.url);
}
