//! Why there is no assignment, in as few applications and experts as we can name.

use super::flow::{NEVER, Network, Stuck};
use super::network::Order;
use super::{AssignmentError, AssignmentProblem, Cause};

/// That each application has enough allowed experts at all.
pub(super) fn check(
    problem: &AssignmentProblem,
    order: &Order,
    network: &Network,
) -> Result<(), AssignmentError> {
    for application in 0..network.applications() {
        let allowed = allowed(network, application);
        if allowed.len() < network.per_application {
            let possible = allowed.len() as u64;
            return Err(AssignmentError::Infeasible(Cause {
                applications: names(&problem.applications, &order.applications, &[application]),
                experts: names(&problem.experts, &order.experts, &allowed),
                needed: problem.per_application.into(),
                possible,
                idle: false,
            }));
        }
    }
    Ok(())
}

/// The cause that a search ran into, made small.
pub(super) fn of(
    problem: &AssignmentProblem,
    order: &Order,
    network: &Network,
    stuck: &Stuck,
) -> Cause {
    if stuck.idle {
        too_little(problem, order, network, stuck)
    } else {
        too_much(problem, order, network, stuck)
    }
}

/// Applications that need more reviews of some experts than these can give.
fn too_much(problem: &AssignmentProblem, order: &Order, network: &Network, stuck: &Stuck) -> Cause {
    let everything = (0..network.applications()).collect();
    let mut tight = Tight::narrowed(network, everything, stuck.experts.clone());
    // Leave out one application after the other as long as the rest alone cannot be assigned.
    let mut at = 0;
    while tight.applications.len() <= SHRUNK && at < tight.applications.len() {
        let mut rest = tight.applications.clone();
        rest.remove(at);
        match only(network, &rest).solve() {
            Ok(_) => at += 1,
            Err(stuck) => tight = Tight::narrowed(network, rest, stuck.experts),
        }
    }
    let experts: Vec<usize> = (0..network.experts)
        .filter(|expert| is_in(&tight.experts, *expert))
        .collect();
    Cause {
        needed: tight.needed(network),
        possible: capacity(network, &tight.experts),
        applications: names(
            &problem.applications,
            &order.applications,
            &tight.applications,
        ),
        experts: names(&problem.experts, &order.experts, &experts),
        idle: false,
    }
}

/// Among more applications than this, the cause that is named is small and perhaps not minimal.
const SHRUNK: usize = 100;

/// The problem of some applications alone, whatever the minimum load.
fn only(network: &Network, applications: &[usize]) -> Network {
    let rows = applications.iter();
    Network {
        min_load: 0,
        affinity: rows
            .clone()
            .flat_map(|application| network.row(*application).to_vec())
            .collect(),
        kept: rows
            .map(|application| network.kept.get(*application).cloned().unwrap_or_default())
            .collect(),
        ..*network
    }
}

/// Applications, ascending, and the experts on whom they ask too much.
struct Tight {
    applications: Vec<usize>,
    experts: Vec<bool>,
}

impl Tight {
    /// As few of `applications` as still ask too much of `experts`, and the experts they may have.
    fn narrowed(network: &Network, mut applications: Vec<usize>, mut experts: Vec<bool>) -> Self {
        loop {
            // The neediest suffice, as long as together they need more than the experts can give.
            let mut by_need: Vec<(u64, usize)> = applications
                .iter()
                .map(|application| (needs(network, *application, &experts), *application))
                .collect();
            by_need.sort_by_key(|(need, application)| (std::cmp::Reverse(*need), *application));
            let (mut sum, mut fewer) = (0, Vec::new());
            for (need, application) in by_need {
                if capacity(network, &experts) < sum || need == 0 {
                    break;
                }
                sum += need;
                fewer.push(application);
            }
            // Experts whom none of these may have make no difference.
            let mut useful = vec![false; network.experts];
            for expert in fewer
                .iter()
                .flat_map(|application| allowed(network, *application))
            {
                if let Some(useful) = useful.get_mut(expert) {
                    *useful = is_in(&experts, expert);
                }
            }
            let settled = fewer.len() == applications.len() && useful == experts;
            applications = fewer;
            experts = useful;
            if settled {
                break;
            }
        }
        applications.sort_unstable();
        Self {
            applications,
            experts,
        }
    }

    fn needed(&self, network: &Network) -> u64 {
        let applications = self.applications.iter();
        applications
            .map(|application| needs(network, *application, &self.experts))
            .sum()
    }
}

/// The reviews of `application` that only `experts` can give, or keep.
fn needs(network: &Network, application: usize, experts: &[bool]) -> u64 {
    let outside = allowed(network, application)
        .iter()
        .filter(|expert| !is_in(experts, **expert))
        .count();
    let kept = network.kept.get(application).map_or(&[][..], Vec::as_slice);
    let kept = kept.iter().filter(|(expert, _)| is_in(experts, *expert));
    let asked = network.per_application.saturating_sub(outside);
    asked.max(kept.count()) as u64
}

fn capacity(network: &Network, experts: &[bool]) -> u64 {
    (count(experts) * network.max_load) as u64
}

/// Experts who must review more than can be given to them.
fn too_little(
    problem: &AssignmentProblem,
    order: &Order,
    network: &Network,
    stuck: &Stuck,
) -> Cause {
    let mut experts: Vec<usize> = (0..network.experts)
        .filter(|e| is_in(&stuck.experts, *e))
        .collect();
    let possible = |experts: &[usize]| -> u64 {
        (0..network.applications())
            .map(|application| {
                let row = network.row(application);
                let own = experts
                    .iter()
                    .filter(|e| row.get(**e).is_some_and(|value| *value != NEVER));
                own.count().min(network.per_application) as u64
            })
            .sum()
    };
    let needed = |experts: &[usize]| (experts.len() * network.min_load) as u64;
    // Leave out one expert after the other as long as the rest still has too little.
    for expert in experts.clone() {
        let fewer: Vec<usize> = experts
            .iter()
            .copied()
            .filter(|other| *other != expert)
            .collect();
        if possible(&fewer) < needed(&fewer) {
            experts = fewer;
        }
    }
    Cause {
        applications: Vec::new(),
        needed: needed(&experts),
        possible: possible(&experts),
        experts: names(&problem.experts, &order.experts, &experts),
        idle: true,
    }
}

fn allowed(network: &Network, application: usize) -> Vec<usize> {
    let row = network.row(application).iter().enumerate();
    row.filter(|(_, affinity)| **affinity != NEVER)
        .map(|(expert, _)| expert)
        .collect()
}

fn is_in(set: &[bool], index: usize) -> bool {
    set.get(index) == Some(&true)
}

fn count(set: &[bool]) -> usize {
    set.iter().filter(|is_in| **is_in).count()
}

/// The names behind rows or columns, in the order of the problem.
fn names(all: &[String], order: &[usize], places: &[usize]) -> Vec<String> {
    let mut indices: Vec<usize> = places
        .iter()
        .filter_map(|place| order.get(*place).copied())
        .collect();
    indices.sort_unstable();
    indices
        .iter()
        .filter_map(|index| all.get(*index).cloned())
        .collect()
}
