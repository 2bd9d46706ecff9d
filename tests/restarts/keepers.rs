//! The keepers: those that are right, durable or not, and those that are wrong.

use super::keeper::{DURABLE, Entries, Entry, Keeper, Line, replayed};
use session_spec::conformance::Profile;
use session_spec::{Clause, Data, Snapshot};
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;

/// Keeps its entries in memory only.
const FORGETFUL: Keeper = Keeper {
    name: "comes back empty",
    clause: None,
    claims: Profile::default,
    write: |_, _| {},
    open: |_, _| Ok(Entries::new()),
    ..DURABLE
};

pub(crate) const RIGHT: &[Keeper] = &[
    DURABLE,
    FORGETFUL,
    Keeper {
        name: "outlives a restart without claiming it",
        claims: Profile::default,
        ..DURABLE
    },
    Keeper {
        name: "compacts its log when it is opened",
        open: |disk, now| {
            let mut entries = replayed(&disk.log);
            entries.retain(|_, entry| now < entry.deadline);
            disk.log = entries.values().cloned().map(Line::Put).collect();
            Ok(entries)
        },
        ..DURABLE
    },
    Keeper {
        name: "comes back with every second entry",
        claims: Profile::default,
        open: |disk, _| {
            let entries = replayed(&disk.log);
            let lines = entries.into_values().step_by(2).map(Line::Put);
            disk.log = lines.collect();
            Ok(replayed(&disk.log))
        },
        ..DURABLE
    },
    Keeper {
        name: "comes back with what it wrote last",
        claims: Profile::default,
        open: |disk, _| {
            let mut entries = replayed(&disk.log);
            let last = disk.log.last();
            let last = |id: &str| matches!(last, Some(Line::Put(e)) if e.snapshot.id() == id);
            entries.retain(|id, _| last(id));
            disk.log = entries.values().cloned().map(Line::Put).collect();
            Ok(entries)
        },
        ..DURABLE
    },
    Keeper {
        name: "reckons in whole seconds, rounded up",
        claims: || {
            let second = Duration::from_secs(1);
            Profile::default().durable().resolution(second)
        },
        is_live: |now, deadline| now < deadline.next_multiple_of(SECOND),
        ..DURABLE
    },
];

const fn wrong(name: &'static str) -> Keeper {
    Keeper {
        name,
        clause: Some(Clause::Dur1),
        ..DURABLE
    }
}

pub(crate) const KEEPS_NO_DEADLINES: Keeper = Keeper {
    open: |disk, _| {
        let mut entries = replayed(&disk.log);
        for entry in entries.values_mut() {
            entry.deadline = u128::MAX;
        }
        Ok(entries)
    },
    ..wrong("keeps no deadlines")
};

/// Exact while it is up, and in whole seconds on its disk.
pub(crate) const ROUNDS_ON_DISK: Keeper = Keeper {
    claims: || {
        let second = Duration::from_secs(1);
        Profile::default().durable().resolution(second)
    },
    write: |disk, line| {
        disk.log.push(match line {
            Line::Put(entry) => Line::Put(Entry {
                deadline: entry.deadline.next_multiple_of(SECOND),
                ..entry
            }),
            gone @ Line::Gone(_) => gone,
        });
    },
    ..wrong("rounds up on disk only")
};

pub(crate) const WRONG: &[Keeper] = &[
    Keeper {
        claims: || Profile::default().durable(),
        ..Keeper {
            clause: Some(Clause::Dur1),
            name: "claims to be durable, and is not",
            ..FORGETFUL
        }
    },
    Keeper {
        write: |disk, line| {
            let before = std::mem::replace(&mut disk.buffer, vec![line]);
            disk.log.extend(before);
        },
        open: |disk, _| {
            disk.buffer.clear();
            Ok(replayed(&disk.log))
        },
        ..wrong("has not flushed the last write")
    },
    Keeper {
        write: |disk, line| {
            if let Line::Put(_) = line {
                disk.log.push(line);
            }
        },
        ..wrong("logs no drops")
    },
    Keeper {
        claims: Profile::default,
        write: |disk, line| {
            if let Line::Put(_) = line {
                disk.log.push(line);
            }
        },
        ..wrong("logs no drops, and claims nothing")
    },
    Keeper {
        open: |disk, _| Ok(replayed(disk.log.iter().rev())),
        ..wrong("reads its log backwards")
    },
    Keeper {
        open: |disk, _| {
            let mut entries = replayed(&disk.log);
            entries.append(&mut disk.checkpoint);
            disk.checkpoint = entries.clone();
            Ok(entries)
        },
        ..wrong("prefers an old checkpoint to the log")
    },
    Keeper {
        claims: Profile::default,
        write: |disk, line| match &line {
            Line::Put(entry) if disk.checkpoint.contains_key(entry.snapshot.id()) => {}
            Line::Put(entry) => {
                let id = entry.snapshot.id().to_owned();
                disk.checkpoint.insert(id, entry.clone());
            }
            Line::Gone(id) => {
                disk.checkpoint.remove(id);
            }
        },
        open: |disk, _| Ok(disk.checkpoint.clone()),
        ..wrong("has written the first snapshot only, and claims nothing")
    },
    KEEPS_NO_DEADLINES,
    Keeper {
        claims: Profile::default,
        open: |disk, now| {
            let mut entries = replayed(&disk.log);
            for entry in entries.values_mut() {
                entry.deadline = now + entry.ttl;
            }
            Ok(entries)
        },
        ..wrong("begins every life anew")
    },
    Keeper {
        open: |disk, now| {
            let mut entries = replayed(&disk.log);
            for entry in entries.values_mut() {
                if now >= entry.deadline {
                    entry.deadline = now + entry.ttl;
                }
            }
            Ok(entries)
        },
        ..wrong("takes what has expired for live")
    },
    Keeper {
        open: |disk, _| {
            let mut entries = replayed(&disk.log);
            for entry in entries.values_mut() {
                entry.deadline = entry.deadline / SECOND * SECOND;
            }
            Ok(entries)
        },
        ..wrong("keeps whole seconds, rounded down")
    },
    Keeper {
        write: |disk, line| {
            if disk.opened < 2 {
                disk.log.push(line);
            }
        },
        ..wrong("writes nowhere once it was opened again")
    },
    Keeper {
        open: |disk, _| {
            let mut entries = replayed(&disk.log);
            for line in &disk.log {
                if let Line::Gone(id) = line {
                    entries.remove(id);
                }
            }
            Ok(entries)
        },
        ..wrong("tombstones outlast a later commit")
    },
    Keeper {
        open: |disk, _| {
            let entries = replayed(&disk.log).into_values();
            let named = entries.map(|entry| {
                let id = entry.snapshot.id().to_ascii_lowercase();
                let snapshot = entry.snapshot.with_id(id.as_str());
                (id, Entry { snapshot, ..entry })
            });
            let by_file: Entries = named.collect();
            // A file is looked for by name, and the file system ignores case.
            let ids = replayed(&disk.log).into_keys();
            Ok(ids
                .filter_map(|id| {
                    let found = by_file.get(&id.to_ascii_lowercase())?;
                    let snapshot = found.snapshot.with_id(id.as_str());
                    Some((
                        id,
                        Entry {
                            snapshot,
                            ..found.clone()
                        },
                    ))
                })
                .collect())
        },
        ..wrong("names files by ids where case is ignored")
    },
    Keeper {
        open: |disk, _| {
            let mut entries = replayed(&disk.log);
            for entry in entries.values_mut() {
                entry.snapshot = without_data(&entry.snapshot);
            }
            Ok(entries)
        },
        ..wrong("writes no data")
    },
    Keeper {
        open: |disk, _| match disk.log.iter().any(|line| matches!(line, Line::Gone(_))) {
            true => Err("line 2: unknown record".into()),
            false => Ok(replayed(&disk.log)),
        },
        ..wrong("does not come up again after a drop")
    },
    Keeper {
        clause: Some(Clause::Err1),
        open: |disk, _| {
            assert!(disk.log.len() < 2, "the log is too long");
            Ok(replayed(&disk.log))
        },
        ..wrong("panics when it comes up")
    },
];

fn without_data(snapshot: &Snapshot) -> Snapshot {
    let (user, csrf) = (snapshot.user().cloned(), snapshot.csrf_token());
    Snapshot::new(snapshot.id(), csrf, user, Data::default())
}
