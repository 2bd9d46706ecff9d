//! Atomic: what a store shows whose every call takes effect at one instant.

use crate::history::{History, Record, Reply};
use crate::plan::{Act, Plan, Step, Steps};
use session_spec::{Model, Op};
use std::collections::HashSet;

/// Every history of the plan. A step is invoked, takes effect on the model, and returns; anything of
/// other clients may come between.
pub(crate) fn histories(plan: &Plan) -> HashSet<History> {
    let Steps {
        before,
        clients,
        after,
    } = plan.steps();
    let clients: Vec<_> = clients.into_iter().map(Client::new).collect();
    let mut world = World::default();
    world.alone(before);
    let mut histories = HashSet::new();
    world.interleaved(&clients, &mut |mut world| {
        world.alone(after.clone());
        histories.insert(History::new(world.records));
    });
    histories
}

#[derive(Clone, Default)]
struct World {
    model: Model,
    moment: usize,
    records: Vec<Record>,
}

#[derive(Clone)]
struct Client {
    /// Those it has not ended, the next one last.
    steps: Vec<Step>,
    under_way: UnderWay,
}

/// How far the next step has come.
#[derive(Clone, Copy)]
enum UnderWay {
    No,
    Invoked { at: usize },
    InEffect { invoked: usize, reply: Reply },
}

impl World {
    /// One step after another.
    fn alone(&mut self, steps: Vec<Step>) {
        let mut client = Client::new(steps);
        while client.go_on(self) {}
    }

    /// All worlds to which this one may come.
    fn interleaved(self, clients: &[Client], end: &mut impl FnMut(Self)) {
        let mut ended = true;
        for number in 0..clients.len() {
            let (mut world, mut clients) = (self.clone(), clients.to_vec());
            if clients[number].go_on(&mut world) {
                world.interleaved(&clients, end);
                ended = false;
            }
        }
        if ended {
            end(self);
        }
    }

    fn effect(&mut self, step: Step) -> Reply {
        let op = match step.act {
            Act::Prepare(id) => Op::Prepare { id: id.into() },
            Act::Drop(id) => Op::Drop { id: id.into() },
            Act::Advance => Op::Advance { by: 1 },
            Act::Commit(id, ttl) => Op::Commit {
                snapshot: Some(step.snapshot(id)),
                ttl: ttl.into(),
            },
        };
        match self.model.step(&op).reply {
            session_spec::Reply::Found(snapshot) => {
                Reply::Found(snapshot.csrf_token().parse().unwrap())
            }
            session_spec::Reply::Nothing => Reply::Nothing,
            _ => Reply::Done,
        }
    }
}

impl Client {
    fn new(mut steps: Vec<Step>) -> Self {
        steps.reverse();
        Self {
            steps,
            under_way: UnderWay::No,
        }
    }

    /// Does the next thing, if there is one.
    fn go_on(&mut self, world: &mut World) -> bool {
        let Some(&step) = self.steps.last() else {
            return false;
        };
        world.moment += 1;
        self.under_way = match self.under_way {
            UnderWay::No => UnderWay::Invoked { at: world.moment },
            UnderWay::Invoked { at } => UnderWay::InEffect {
                invoked: at,
                reply: world.effect(step),
            },
            UnderWay::InEffect { invoked, reply } => {
                world.records.push(Record {
                    invoked,
                    returned: world.moment,
                    step,
                    reply,
                });
                self.steps.pop();
                UnderWay::No
            }
        };
        true
    }
}
