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
    let mut inside: Vec<bool> = stuck.experts.clone();
    let needs = |application: usize, inside: &[bool]| -> u64 {
        let outside = allowed(network, application)
            .iter()
            .filter(|e| !is_in(inside, **e))
            .count();
        network.per_application.saturating_sub(outside) as u64
    };
    let capacity = |inside: &[bool]| (count(inside) * network.max_load) as u64;
    let mut applications: Vec<usize> = (0..network.applications()).collect();
    loop {
        // The neediest suffice, as long as together they need more than the experts can give.
        let mut by_need: Vec<(u64, usize)> = applications
            .iter()
            .map(|application| (needs(*application, &inside), *application))
            .collect();
        by_need.sort_by_key(|(need, application)| (std::cmp::Reverse(*need), *application));
        let (mut sum, mut fewer) = (0, Vec::new());
        for (need, application) in by_need {
            if capacity(&inside) < sum || need == 0 {
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
                *useful = is_in(&inside, expert);
            }
        }
        let settled = fewer.len() == applications.len() && useful == inside;
        applications = fewer;
        inside = useful;
        if settled {
            break;
        }
    }
    applications.sort_unstable();
    let experts: Vec<usize> = (0..network.experts)
        .filter(|expert| is_in(&inside, *expert))
        .collect();
    Cause {
        needed: applications
            .iter()
            .map(|application| needs(*application, &inside))
            .sum(),
        possible: capacity(&inside),
        applications: names(&problem.applications, &order.applications, &applications),
        experts: names(&problem.experts, &order.experts, &experts),
        idle: false,
    }
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
