//! The assignment of greatest total affinity, as a minimum-cost flow over the experts.
//!
//! Every application starts with its best experts at some prices on their time, loads or no loads:
//! the best there is without limits. Then, one by one, reviews are moved along the cheapest chain of exchanges from an expert
//! who has too many to one who may take more. Potentials keep every step optimal for what has been
//! put right so far (successive shortest paths), and at the end they are the prices of a bound that
//! equals the total.
//!
//! Nodes are the experts and, as the last node, the *pool*: an expert between the minimum and the
//! maximum load can give to it and take from it. All indices come from the network itself.

use super::prices::first;

/// Stands for the affinity of a pair that must not be.
pub(super) const NEVER: i64 = i64::MIN / 8;

/// An assignment in numbers: affinities by row (application) and column (expert).
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) experts: usize,
    pub(super) per_application: usize,
    pub(super) min_load: usize,
    pub(super) max_load: usize,
    /// Row by row; [`NEVER`] where the pair must not be.
    pub(super) affinity: Vec<i64>,
    /// Pairs that must be, for each application, with their affinity.
    pub(super) kept: Vec<Vec<(usize, i64)>>,
}

/// Who reviews what, best in total.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    /// The experts of each application, ascending.
    pub(super) experts: Vec<Vec<usize>>,
    pub(super) total: i64,
    /// What the potentials prove no assignment can exceed.
    pub(super) bound: i64,
}

/// Reviews that have no place: the experts that can be reached from an overloaded one (or, if the
/// pool is reached, those that cannot).
#[derive(Clone, Debug)]
pub(super) struct Stuck {
    /// Whether each expert is in the set that is too small, or has too little to do.
    pub(super) experts: Vec<bool>,
    /// Whether the set has too little to do (minimum load) instead of too much.
    pub(super) idle: bool,
}

struct Flow<'a> {
    network: &'a Network,
    nodes: usize,
    /// Affinity of each pair that could be added; `NEVER` for those assigned.
    open: Vec<i64>,
    /// Movable applications of each expert.
    movable: Vec<Vec<u32>>,
    /// Reviews of each expert, fixed ones included.
    load: Vec<usize>,
    /// Load as the pool sees it, between minimum and maximum.
    pooled: Vec<usize>,
    /// Cheapest exchange from expert to expert, row by row, and the application it moves.
    cost: Vec<i64>,
    mover: Vec<u32>,
    potential: Vec<i64>,
    distance: Vec<i64>,
    before: Vec<usize>,
    settled: Vec<bool>,
}

const FAR: i64 = i64::MAX / 4;
/// Costs above this stand for exchanges that are not possible.
const IMPOSSIBLE: i64 = -NEVER / 2;

impl Network {
    pub(super) fn applications(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn row(&self, application: usize) -> &[i64] {
        let start = application * self.experts;
        self.affinity
            .get(start..start + self.experts)
            .unwrap_or_default()
    }

    /// The best assignment. Every application must have enough allowed experts.
    pub(super) fn solve(&self) -> Result<Solution, Stuck> {
        let mut flow = Flow::new(self, &self.starting_prices());
        flow.balance()?;
        Ok(flow.solution())
    }
}

impl<'a> Flow<'a> {
    fn new(network: &'a Network, prices: &[i64]) -> Self {
        let experts = network.experts;
        let mut open = network.affinity.clone();
        let mut movable = vec![Vec::new(); experts];
        let mut load = vec![0; experts];
        for (row, kept) in open.chunks_mut(experts.max(1)).zip(&network.kept) {
            for (expert, _) in kept {
                load[*expert] += 1;
                row[*expert] = NEVER;
            }
        }
        // Among equals the expert with the least to do, so that less is moved later.
        let mut order: Vec<(i64, usize, usize)> = Vec::with_capacity(experts);
        for (application, (row, kept)) in open
            .chunks_mut(experts.max(1))
            .zip(&network.kept)
            .enumerate()
        {
            let values = row.iter().zip(prices).enumerate();
            order.clear();
            order.extend(
                values
                    .filter(|(_, (value, _))| **value != NEVER)
                    .map(|(expert, (value, price))| (price - value, load[expert], expert)),
            );
            let wanted = network.per_application.saturating_sub(kept.len());
            for (_, _, expert) in first(&mut order, wanted) {
                row[*expert] = NEVER;
                load[*expert] += 1;
                movable[*expert].push(index(application));
            }
        }
        let pooled = load
            .iter()
            .zip(prices)
            .map(|(load, price)| network.pooled(*load, *price))
            .collect();
        let potential = prices.iter().map(|price| -price).chain([0]).collect();
        let nodes = experts + 1;
        let mut flow = Self {
            network,
            nodes,
            open,
            movable,
            load,
            pooled,
            cost: vec![FAR; experts * experts],
            mover: vec![0; experts * experts],
            potential,
            distance: vec![FAR; nodes],
            before: vec![0; nodes],
            settled: vec![false; nodes],
        };
        for expert in 0..experts {
            for place in 0..flow.movable[expert].len() {
                flow.offer(expert, flow.movable[expert][place]);
            }
        }
        flow
    }

    fn affinity(&self, application: u32, expert: usize) -> i64 {
        self.network.affinity[application as usize * self.network.experts + expert]
    }

    /// Takes the exchanges that moving `application` away from `expert` makes possible into account.
    fn offer(&mut self, expert: usize, application: u32) {
        let experts = self.network.experts;
        let own = self.affinity(application, expert);
        let start = application as usize * experts;
        let open = &self.open[start..start + experts];
        let costs = &mut self.cost[expert * experts..(expert + 1) * experts];
        let movers = &mut self.mover[expert * experts..(expert + 1) * experts];
        for ((open, cost), mover) in open.iter().zip(costs).zip(movers) {
            if own - open < *cost {
                *cost = own - open;
                *mover = application;
            }
        }
    }

    /// Finds the cheapest exchange from one expert to another anew.
    fn search(&mut self, from: usize, to: usize) {
        let experts = self.network.experts;
        let (mut best, mut mover) = (FAR, 0);
        for application in &self.movable[from] {
            let cost =
                self.affinity(*application, from) - self.open[*application as usize * experts + to];
            if cost < best {
                (best, mover) = (cost, *application);
            }
        }
        self.cost[from * experts + to] = best;
        self.mover[from * experts + to] = mover;
    }

    /// Moves the cheapest application from one expert to another.
    fn exchange(&mut self, from: usize, to: usize) {
        let experts = self.network.experts;
        let application = self.mover[from * experts + to];
        let start = application as usize * experts;
        self.open[start + from] = self.affinity(application, from);
        self.open[start + to] = NEVER;
        self.movable[from].retain(|other| *other != application);
        self.movable[to].push(application);
        self.load[from] -= 1;
        self.load[to] += 1;
        for column in 0..experts {
            if self.mover[from * experts + column] == application {
                self.search(from, column);
            }
        }
        self.offer(to, application);
        // The application's other experts could have sent it to `to`, and now can to `from`.
        for other in 0..experts {
            let assigned = self.open[start + other] == NEVER
                && self.affinity(application, other) != NEVER
                && other != to;
            if !assigned || !self.movable[other].contains(&application) {
                continue;
            }
            if self.mover[other * experts + to] == application {
                self.search(other, to);
            }
            let cost = self.affinity(application, other) - self.affinity(application, from);
            if cost < self.cost[other * experts + from] {
                self.cost[other * experts + from] = cost;
                self.mover[other * experts + from] = application;
            }
        }
    }

    /// Reviews too many (or, negative, too few) at each node.
    fn excess(&self, node: usize) -> i64 {
        if node < self.network.experts {
            signed(self.load[node]) - signed(self.pooled[node])
        } else {
            let pooled: usize = self.pooled.iter().sum();
            signed(pooled) - signed(self.load.iter().sum())
        }
    }

    fn balance(&mut self) -> Result<(), Stuck> {
        for source in 0..self.nodes {
            while 0 < self.excess(source) {
                let target = self.nearest_deficit(source).ok_or_else(|| self.stuck())?;
                let mut path = vec![target];
                let mut node = target;
                while node != source {
                    node = self.before[node];
                    path.push(node);
                }
                path.reverse();
                for step in path.windows(2) {
                    let (from, to) = (step[0], step[1]);
                    if to == self.network.experts {
                        self.pooled[from] += 1;
                    } else if from == self.network.experts {
                        self.pooled[to] -= 1;
                    } else {
                        self.exchange(from, to);
                    }
                }
            }
        }
        Ok(())
    }

    /// Dijkstra from `source` to the nearest node with too few; adjusts the potentials.
    fn nearest_deficit(&mut self, source: usize) -> Option<usize> {
        let deficit: Vec<bool> = (0..self.nodes).map(|node| self.excess(node) < 0).collect();
        self.distance.fill(FAR);
        self.settled.fill(false);
        self.distance[source] = 0;
        let target = loop {
            let (mut node, mut nearest) = (self.nodes, FAR);
            for (index, (distance, settled)) in self.distance.iter().zip(&self.settled).enumerate()
            {
                if !settled && *distance < nearest {
                    (node, nearest) = (index, *distance);
                }
            }
            if node == self.nodes {
                return None;
            }
            self.settled[node] = true;
            if deficit[node] {
                break node;
            }
            self.relax(node);
        };
        let length = self.distance[target];
        for (potential, distance) in self.potential.iter_mut().zip(&self.distance) {
            *potential += (*distance).min(length);
        }
        Some(target)
    }

    fn relax(&mut self, node: usize) {
        let experts = self.network.experts;
        let base = self.distance[node] + self.potential[node];
        if node == experts {
            for to in 0..experts {
                if self.network.min_load < self.pooled[to] {
                    self.reach(node, to, base);
                }
            }
            return;
        }
        let costs = &self.cost[node * experts..(node + 1) * experts];
        let nodes = self
            .distance
            .iter_mut()
            .zip(&mut self.before)
            .zip(&self.potential);
        for (cost, ((distance, before), potential)) in costs.iter().zip(nodes) {
            if *cost < IMPOSSIBLE && base + cost - potential < *distance {
                *distance = base + cost - potential;
                *before = node;
            }
        }
        if self.pooled[node] < self.network.max_load {
            self.reach(node, experts, base);
        }
    }

    fn reach(&mut self, from: usize, to: usize, base: i64) {
        let distance = base - self.potential[to];
        if distance < self.distance[to] {
            self.distance[to] = distance;
            self.before[to] = from;
        }
    }

    fn stuck(&self) -> Stuck {
        let idle = self.settled[self.network.experts];
        let experts = self.settled[..self.network.experts]
            .iter()
            .map(|settled| *settled != idle);
        Stuck {
            experts: experts.collect(),
            idle,
        }
    }

    fn solution(&self) -> Solution {
        let network = self.network;
        let pool = self.potential[network.experts];
        let prices: Vec<i64> = self.potential[..network.experts]
            .iter()
            .map(|potential| pool - potential)
            .collect();
        let mut bound: i64 = prices
            .iter()
            .map(|price| {
                price
                    * signed(if 0 < *price {
                        network.max_load
                    } else {
                        network.min_load
                    })
            })
            .sum();
        let (mut total, mut chosen) = (0, Vec::with_capacity(network.applications()));
        let mut values: Vec<i64> = Vec::with_capacity(network.experts);
        for (application, kept) in network.kept.iter().enumerate() {
            let row = network.row(application);
            let start = application * network.experts;
            let open = &self.open[start..start + network.experts];
            let fixed = |expert: usize| kept.iter().any(|(kept, _)| *kept == expert);
            let mut own: Vec<usize> = kept.iter().map(|(expert, _)| *expert).collect();
            total += kept.iter().map(|(_, affinity)| affinity).sum::<i64>();
            bound += kept
                .iter()
                .map(|(expert, affinity)| affinity - prices[*expert])
                .sum::<i64>();
            values.clear();
            for (expert, affinity) in row.iter().enumerate() {
                if *affinity == NEVER || fixed(expert) {
                    continue;
                }
                values.push(affinity - prices[expert]);
                if open[expert] == NEVER {
                    own.push(expert);
                    total += affinity;
                }
            }
            let wanted = network.per_application - kept.len();
            if 0 < wanted && wanted < values.len() {
                values.select_nth_unstable_by(wanted - 1, |a, b| b.cmp(a));
            }
            bound += values.iter().take(wanted).sum::<i64>();
            own.sort_unstable();
            chosen.push(own);
        }
        Solution {
            experts: chosen,
            total,
            bound,
        }
    }
}

fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn signed(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
