//! Whether a policy can work, as a whole: every fault, each with its place.

use std::collections::BTreeSet;

use fundcycle_scoring::{CalibrationMethod, CalibrationRules, Exact, Method};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::document::{
    Blindness, Consequence, GradeRule, OverrunRule, PolicyDocument, Round, RoundRules,
    TrancheCondition,
};
use crate::names::Names as _;
use crate::rejection::Fault;

/// Reads and checks a policy document.
///
/// # Errors
///
/// Every unknown key, or the first value of a wrong type; if it can be read, everything that
/// cannot work.
pub fn parse(document: &Value) -> Result<PolicyDocument, Vec<Fault>> {
    let policy: PolicyDocument = serde_path_to_error::deserialize(document).map_err(|error| {
        let message = error.inner().to_string();
        let code = if message.starts_with("unknown field") || message.starts_with("unknown variant")
        {
            "unknown_key"
        } else {
            "malformed"
        };
        vec![Fault::new(
            pointer(error.path()),
            code,
            message.clone(),
            format!("无法识别:{message}"),
        )]
    })?;
    let faults = policy.faults();
    if faults.is_empty() {
        Ok(policy)
    } else {
        Err(faults)
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .fold(String::new(), |at, segment| match segment {
            serde_path_to_error::Segment::Seq { index } => format!("{at}/{index}"),
            serde_path_to_error::Segment::Map { key }
            | serde_path_to_error::Segment::Enum { variant: key } => {
                format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            serde_path_to_error::Segment::Unknown => at,
        })
}

/// Collects faults under a common code.
struct Faults(Vec<Fault>);

impl Faults {
    fn add(
        &mut self,
        pointer: impl Into<String>,
        code: &str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        self.0.push(Fault::new(pointer, code, en, zh));
    }
}

impl PolicyDocument {
    /// Everything in this policy that cannot work.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults(Vec::new());
        self.check_programme(&mut faults);
        self.check_application(&mut faults);
        self.check_rounds(&mut faults);
        self.check_selection(&mut faults);
        self.check_money(&mut faults);
        self.check_evaluation(&mut faults);
        self.check_close_out(&mut faults);
        self.check_reminders(&mut faults);
        faults.0
    }

    /// The rubrics that `amended` changes without giving them a higher version.
    pub(crate) fn unversioned_rubrics(&self, amended: &Self) -> Vec<Fault> {
        let mut faults = Faults(Vec::new());
        for (round, rules) in &amended.rounds {
            let old = self.rounds.get(round).map(|old| &old.rubric);
            let (Some(old), new) = (old, &rules.rubric) else {
                continue;
            };
            if old != new && new.version <= old.version {
                faults.add(
                    format!("/rounds/{round}/rubric/version"),
                    "same_version",
                    format!(
                        "The rubric of {round} changes: give it a version above {}.",
                        old.version
                    ),
                    format!(
                        "“{}”的评分标准有改动,版本号须大于 {}。",
                        round.zh(),
                        old.version
                    ),
                );
            }
        }
        faults.0
    }

    fn check_programme(&self, faults: &mut Faults) {
        for (name, text) in [
            ("title", &self.programme.title),
            ("organiser", &self.programme.organiser),
            ("code", &self.programme.code),
        ] {
            if text.trim().is_empty() {
                faults.add(
                    format!("/programme/{name}"),
                    "empty",
                    format!("Give the {name}."),
                    "此项不能为空。",
                );
            }
        }
        if TimeZone::get(&self.programme.time_zone).is_err() {
            faults.add(
                "/programme/time_zone",
                "unknown_time_zone",
                format!(
                    "`{}` is not an IANA time zone such as Asia/Shanghai.",
                    self.programme.time_zone
                ),
                format!(
                    "“{}”不是有效的 IANA 时区,例如 Asia/Shanghai。",
                    self.programme.time_zone
                ),
            );
        }
        if self.domains.is_empty() {
            faults.add(
                "/domains",
                "empty",
                "Name at least one domain.",
                "至少设置一个领域。",
            );
        }
        let mut seen = BTreeSet::new();
        for (index, domain) in self.domains.iter().enumerate() {
            if !seen.insert(crate::text::comparison_key(&domain.name)) {
                faults.add(
                    format!("/domains/{index}/name"),
                    "duplicate",
                    format!("Domain `{}` is listed twice.", domain.name),
                    format!("领域“{}”重复。", domain.name),
                );
            }
        }
    }

    fn check_application(&self, faults: &mut Faults) {
        let rules = &self.application;
        if rules.opens_at >= rules.closes_at {
            faults.add(
                "/application/closes_at",
                "window",
                "The call must close after it opens.",
                "截止时间必须晚于开始时间。",
            );
        }
        if rules.request_floor.money() > rules.request_cap.money() {
            faults.add(
                "/application/request_floor",
                "range",
                "The least request is above the cap.",
                "最低申请额高于上限。",
            );
        }
        if rules.request_cap.money().fen() <= 0 {
            faults.add(
                "/application/request_cap",
                "range",
                "The cap must be above 0 yuan.",
                "申请上限必须大于 0 元。",
            );
        }
        if rules.text_limit == 0 {
            faults.add(
                "/application/text_limit",
                "range",
                "The text limit must be at least 1 character.",
                "字数上限至少为 1。",
            );
        }
        for (index, rule) in self.budget_rules.iter().enumerate() {
            let at = format!("/budget_rules/{index}");
            if rule.max_ratio.is_none() && rule.max_amount.is_none() && !rule.forbidden {
                faults.add(
                    &at,
                    "no_limit",
                    "The rule limits nothing: give max_ratio, max_amount or forbidden.",
                    "该规则没有限制内容:请给出 max_ratio、max_amount 或 forbidden。",
                );
            }
            if rule
                .max_ratio
                .as_ref()
                .is_some_and(|ratio| ratio.is_negative() || *ratio > Exact::from_integer(1))
            {
                faults.add(
                    format!("{at}/max_ratio"),
                    "range",
                    "A ratio lies between 0 and 1.",
                    "比例应在 0 与 1 之间。",
                );
            }
        }
    }

    fn check_rounds(&self, faults: &mut Faults) {
        for round in Round::ALL {
            let rules = self.rounds.get(round);
            match (self.has_round(*round), rules) {
                (true, None) => faults.add(
                    "/rounds",
                    "missing_round",
                    format!("Stage on, but no rounds.{round}: give its rubric and aggregation, or leave the stage out."),
                    format!("已启用“{}”,但缺少 rounds.{round}。", round.zh()),
                ),
                (false, Some(_)) => faults.add(
                    format!("/rounds/{round}"),
                    "unreachable_round",
                    "The policy leaves this stage out, so the round can never take place.",
                    "规则未启用该阶段,此轮次不会进行。",
                ),
                (true, Some(rules)) => {
                    if rules.visibility.blindness == Blindness::Double && *round != Round::PaperReview {
                        faults.add(
                            format!("/rounds/{round}/visibility/blindness"),
                            "cannot_be_blind",
                            "Whoever pitches or runs a project is known: only the paper review can be blind on both sides.",
                            "路演与项目评估无法隐去申报方,仅书面评审可设双盲。",
                        );
                    }
                    check_round(*round, rules, faults);
                }
                (false, None) => {}
            }
        }
        let selecting = [Round::PaperReview, Round::Roadshow]
            .into_iter()
            .filter(|round| self.has_round(*round));
        let weights = selecting
            .clone()
            .filter_map(|round| self.rounds.get(&round))
            .fold(Exact::ZERO, |sum, rules| &sum + &rules.weight);
        if selecting.clone().count() == 0 {
            faults.add(
                "/stages",
                "nothing_scores",
                "Neither review nor roadshow: nothing would rank the applications.",
                "书面评审与路演均未启用,无法排序。",
            );
        } else if weights != Exact::from_integer(1) {
            faults.add(
                "/rounds",
                "weights",
                format!("The weights of the selecting rounds add up to {weights}, not 1."),
                format!("评审与路演的权重合计为 {weights},应为 1。"),
            );
        }
    }

    fn check_selection(&self, faults: &mut Faults) {
        for fault in self.selection.faults() {
            faults.add(
                format!("/selection{}", fault.path),
                "selection",
                fault.message.clone(),
                format!("遴选规则有误:{}", fault.message),
            );
        }
        for name in self
            .selection
            .domain
            .keys()
            .filter(|name| !self.domains.iter().any(|domain| domain.name == **name))
        {
            faults.add(
                format!("/selection/domain/{name}"),
                "unknown_domain",
                format!("There is no domain `{name}`."),
                format!("不存在领域“{name}”。"),
            );
        }
        let fewest: u64 = self
            .domains
            .iter()
            .map(|domain| {
                u64::from(
                    self.selection
                        .domain
                        .get(&domain.name)
                        .unwrap_or(&self.selection.every_domain)
                        .min
                        .unwrap_or(0),
                )
            })
            .sum();
        let floor = self.application.request_floor.money().fen().max(1);
        let budget = crate::money::Money::from_fen(self.selection.budget.fen());
        if i64::try_from(fewest)
            .unwrap_or(i64::MAX)
            .saturating_mul(floor)
            > budget.fen()
        {
            faults.add(
                "/selection",
                "impossible_quota",
                "The minimums of all domains together cost more than the budget even at the least request.",
                "各领域最低名额之和即使按最低申请额也超出预算。",
            );
        }
        if budget < self.application.request_floor.money() {
            faults.add(
                "/selection/budget",
                "range",
                "The budget does not pay for a single project.",
                "预算不足以资助一个项目。",
            );
        }
        if self.selection_approvals == 0 {
            faults.add(
                "/selection_approvals",
                "range",
                "At least one lead has to approve a selection.",
                "遴选结果至少须一名负责人审批。",
            );
        }
        if self.notice.working_days == 0 && self.stages.notice {
            faults.add(
                "/notice/working_days",
                "range",
                "A notice runs for at least one working day.",
                "公示至少一个工作日。",
            );
        }
    }

    fn check_money(&self, faults: &mut Faults) {
        let sum = self
            .tranches
            .iter()
            .fold(Exact::ZERO, |sum, tranche| &sum + &tranche.share);
        if sum != Exact::from_integer(1) {
            faults.add(
                "/tranches",
                "shares",
                format!("The shares of the tranches add up to {sum}, not 1."),
                format!("各期拨款比例合计为 {sum},应为 1。"),
            );
        }
        for (index, tranche) in self.tranches.iter().enumerate() {
            if tranche.share.is_negative() || tranche.share.is_zero() {
                faults.add(
                    format!("/tranches/{index}/share"),
                    "range",
                    "A share is above 0.",
                    "比例必须大于 0。",
                );
            }
            if tranche.after == TrancheCondition::Midterm && !self.stages.midterm {
                faults.add(
                    format!("/tranches/{index}/after"),
                    "unreachable",
                    "It waits for a mid-term evaluation that this cycle does not have.",
                    "本届未设中期评估,该期款项永远无法拨付。",
                );
            }
            if let Some(least) = &tranche.needs.least_grade {
                let at = format!("/tranches/{index}/needs/least_grade");
                if tranche.after == TrancheCondition::Agreement {
                    faults.add(
                        at,
                        "unreachable",
                        "It comes before every evaluation, so that there is no grade yet.",
                        "该期款项在评估之前拨付,尚无等级。",
                    );
                } else if !self
                    .evaluation
                    .grades
                    .iter()
                    .any(|grade| grade.name == *least)
                {
                    faults.add(
                        at,
                        "unknown",
                        format!("There is no grade `{least}`."),
                        format!("没有“{least}”这一等级。"),
                    );
                }
            }
        }
    }

    fn check_reminders(&self, faults: &mut Faults) {
        let rules = &self.reminders;
        for (name, hour) in [
            ("quiet_from", Some(rules.quiet_from)),
            ("quiet_until", Some(rules.quiet_until)),
            ("digest_hour", rules.digest_hour),
        ] {
            if hour.is_some_and(|hour| hour > 23) {
                faults.add(
                    format!("/reminders/{name}"),
                    "range",
                    "An hour of the day is a number from 0 to 23.",
                    "小时须在 0 至 23 之间。",
                );
            }
        }
        for (item, hours) in &rules.hours_before {
            for (index, pair) in hours.windows(2).enumerate() {
                if let [earlier, later] = pair
                    && earlier <= later
                {
                    faults.add(
                        format!("/reminders/hours_before/{item}/{}", index + 1),
                        "order",
                        "Name the hours before the deadline from the longest to the shortest, each once.",
                        "提前小时数须从大到小排列且不重复。",
                    );
                }
            }
        }
    }

    fn check_evaluation(&self, faults: &mut Faults) {
        let grades = &self.evaluation.grades;
        let (Some(_), Some(last)) = (grades.first(), grades.last()) else {
            faults.add(
                "/evaluation/grades",
                "empty",
                "Name the grade bands, best first.",
                "请按从高到低列出评估等级。",
            );
            return;
        };
        for (index, pair) in grades.windows(2).enumerate() {
            if let [better, worse] = pair
                && better.from <= worse.from
            {
                faults.add(
                    format!("/evaluation/grades/{}", index + 1),
                    "order",
                    "The bands must descend: each begins below the one before it.",
                    "等级须从高到低排列。",
                );
            }
        }
        if !last.from.is_zero() {
            faults.add(
                format!("/evaluation/grades/{}/from", grades.len() - 1),
                "uncovered",
                "The last band must begin at 0, so that every score has a grade.",
                "最后一档须从 0 分起。",
            );
        }
        for (index, grade) in grades.iter().enumerate() {
            let beyond = |tail: &Exact| tail.is_negative() || *tail > Exact::ONE;
            if grade.tail.as_ref().is_some_and(beyond) {
                faults.add(
                    format!("/evaluation/grades/{index}/tail"),
                    "range",
                    "A part lies between 0 and 1.",
                    "比例须在 0 至 1 之间。",
                );
            }
        }
        self.check_bonus(faults);
        self.check_automatic(faults);
        if !grades
            .iter()
            .any(|grade| grade.leads_to == Consequence::Pass)
        {
            faults.add(
                "/evaluation/grades",
                "unreachable",
                "No grade passes, so no project could ever close well.",
                "没有任何等级为“通过”。",
            );
        }
    }
}

impl PolicyDocument {
    fn check_close_out(&self, faults: &mut Faults) {
        if let Some(rule) = &self.monitoring.underspend {
            for (name, part) in [("after", &rule.after), ("below", &rule.below)] {
                if part.is_negative() || *part > Exact::ONE {
                    faults.add(
                        format!("/monitoring/underspend/{name}"),
                        "range",
                        "A part lies between 0 and 1.",
                        "比例须在 0 至 1 之间。",
                    );
                }
            }
        }
        let mut seen = BTreeSet::new();
        for (index, item) in self.close_out.checklist.iter().enumerate() {
            if item.trim().is_empty() || !seen.insert(item) {
                faults.add(
                    format!("/close_out/checklist/{index}"),
                    "duplicate",
                    "Items of the checklist are named, each once.",
                    "结项清单各项不能为空或重复。",
                );
            }
        }
    }

    fn check_bonus(&self, faults: &mut Faults) {
        let bonus = |rule: &GradeRule| rule.bonus.clone().unwrap_or_default();
        let grades = &self.evaluation.grades;
        for (index, grade) in grades.iter().enumerate() {
            let better = index.checked_sub(1).and_then(|place| grades.get(place));
            if bonus(grade).is_negative() || better.is_some_and(|one| bonus(one) < bonus(grade)) {
                faults.add(
                    format!("/evaluation/grades/{index}/bonus"),
                    "order",
                    "A bonus is not negative, and a better grade brings no smaller one.",
                    "加分不能为负,等级较高者加分不得更低。",
                );
            }
        }
        let rules = self.ranking.earlier_projects.as_ref();
        if rules.is_some_and(|rules| rules.most.is_negative()) {
            faults.add(
                "/ranking/earlier_projects/most",
                "range",
                "The most that is added is not negative.",
                "加分上限不能为负。",
            );
        }
    }

    fn check_automatic(&self, faults: &mut Faults) {
        for (index, criterion) in self.evaluation.automatic.iter().enumerate() {
            let at = format!("/evaluation/automatic/{index}");
            if !matches!(criterion.round, Round::Midterm | Round::Final) {
                faults.add(
                    format!("{at}/round"),
                    "not_of_projects",
                    "Only projects have reports to score: mid-term or final.",
                    "仅中期或末期评估可按报告自动计分。",
                );
            }
            let descend = criterion.bands.windows(2).all(|pair| match pair {
                [better, worse] => better.from > worse.from && better.points >= worse.points,
                _ => true,
            });
            if criterion.bands.is_empty() || !descend {
                faults.add(
                    format!("{at}/bands"),
                    "order",
                    "Name the bands best first; who reaches more never gets less.",
                    "请按从高到低列出档次,完成率高者得分不得更低。",
                );
            }
        }
        if self.changes.free_limit > self.changes.staff_limit {
            faults.add(
                "/changes/free_limit",
                "order",
                "What needs no approval is at most what staff may approve.",
                "免审批额度不得高于工作人员审批额度。",
            );
        }
    }
}

fn check_overrun(round: Round, rule: &OverrunRule, faults: &mut Faults) {
    let at = format!("/rounds/{round}/overrun");
    if round != Round::Roadshow {
        faults.add(
            at.clone(),
            "not_pitched",
            "Nothing is pitched in this round, so nothing takes too long: leave it out.",
            "本轮不设路演,无超时可扣分,请删除此项。",
        );
    }
    let least = &rule.points_per_minute;
    if least.is_negative() || least.is_zero() || rule.cap < *least {
        faults.add(
            at,
            "range",
            "points_per_minute is more than 0, and cap is not less than it.",
            "points_per_minute 应大于 0,且 cap 不小于 points_per_minute。",
        );
    }
}

fn check_round(round: Round, rules: &RoundRules, faults: &mut Faults) {
    let at = format!("/rounds/{round}");
    for fault in rules.rubric.faults() {
        faults.add(
            format!("{at}/rubric{}", fault.path),
            "rubric",
            fault.message.clone(),
            format!("评分表有误:{}", fault.message),
        );
    }
    for fault in rules.aggregation.faults() {
        faults.add(
            format!("{at}/aggregation{}", fault.path),
            "aggregation",
            fault.message.clone(),
            format!("计分规则有误:{}", fault.message),
        );
    }
    if let Some(calibration) = &rules.calibration {
        check_calibration(round, calibration, rules, faults);
    }
    if let Some(spread) = &rules.spread {
        for (name, line) in [("range", &spread.range), ("deviation", &spread.deviation)] {
            if line.as_ref().is_some_and(Exact::is_negative) {
                faults.add(
                    format!("{at}/spread/{name}"),
                    "range",
                    "No sheets lie less than 0 points apart.",
                    "分差界线不能为负。",
                );
            }
        }
    }
    if let Some(overrun) = &rules.overrun {
        check_overrun(round, overrun, faults);
    }
    if rules.weight.is_negative() {
        faults.add(
            format!("{at}/weight"),
            "range",
            "A weight is not negative.",
            "权重不能为负。",
        );
    }
    let multiple = rules.shortlist_budget_multiple.as_ref();
    for (name, is_none) in [
        ("shortlist", rules.shortlist == Some(0)),
        (
            "shortlist_per_domain",
            rules.shortlist_per_domain == Some(0),
        ),
        (
            "shortlist_budget_multiple",
            multiple.is_some_and(|one| one.is_negative() || *one == Exact::ZERO),
        ),
    ] {
        if is_none {
            faults.add(
                format!("{at}/{name}"),
                "range",
                "A shortlist of none ends the cycle here: leave it out to let all pass.",
                "入围名额为 0 将终止本届;如不限请删去此项。",
            );
        }
    }
    if let Some(line) = rules.pass_line.as_ref()
        && *line > rules.rubric.maximum()
    {
        faults.add(
            format!("{at}/pass_line"),
            "unreachable",
            "The pass line is above the highest possible score.",
            "及格线高于满分。",
        );
    }
}

fn check_calibration(
    round: Round,
    calibration: &CalibrationRules,
    rules: &RoundRules,
    faults: &mut Faults,
) {
    let at = format!("/rounds/{round}/calibration");
    if matches!(round, Round::Midterm | Round::Final) {
        faults.add(
            &at,
            "not_ranked",
            "This round grades each project by fixed bands: calibrate only rounds that rank.",
            "该轮次按固定等级评定项目,仅排序的轮次可以校准。",
        );
    }
    if rules.aggregation.method != Method::Mean {
        faults.add(
            format!("{at}/method"),
            "needs_mean",
            "Calibration replaces the plain mean: set the aggregation's method to mean.",
            "校准仅适用于算术平均:请将 aggregation.method 设为 mean。",
        );
    }
    if calibration.ridge.is_negative() {
        faults.add(
            format!("{at}/ridge"),
            "range",
            "A ridge is not negative.",
            "岭参数不能为负。",
        );
    }
    if calibration.method == CalibrationMethod::ZScore && !calibration.ridge.is_zero() {
        faults.add(
            format!("{at}/ridge"),
            "no_ridge",
            "Only additive calibration has a ridge.",
            "仅 additive 方法可设岭参数。",
        );
    }
    let (least, most) = (rules.aggregation.scale, CalibrationRules::MOST_DECIMALS);
    if calibration.precision < least || most < calibration.precision {
        faults.add(
            format!("{at}/precision"),
            "range",
            format!("Calibrated figures have at least the {least} decimals of the score and at most {most}."),
            format!("校准结果的小数位数不得少于分数的 {least} 位,且不得多于 {most} 位。"),
        );
    }
}
