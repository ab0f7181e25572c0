//! Interests that keep a person from judging: declared by themselves or by staff, or computed from what is
//! on record (`domain.md` §2.5). One predicate, asked wherever somebody is given, reads or scores something.

mod applicants;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

pub use applicants::{applies_for, needs};

use crate::account::Account;
use crate::aggregate::Record;
use crate::application::Application;
use crate::cycle::Cycle;
use crate::expert::{Engagement, Expert, Relation};
use crate::organisation::Organisation;
use crate::policy::{Policy, PolicyDocument};
use crate::rejection::Text;
use crate::text::comparison_key;
use crate::time::Timestamp;
use crate::world::World;

names! {
    /// Why a person must not judge something.
    pub enum Ground {
        /// They said so.
        Declared = "declared" "本人申报",
        /// Staff said so.
        Pinned = "pinned" "工作人员认定",
        /// They are a member of the organisation.
        Member = "member" "组织成员",
        /// They are a member of an organisation that applies in the cycle, or were when applications could be
        /// handed in: they judge nobody else's either, so that no two can judge each other's.
        Applicant = "applicant" "本届申报方成员",
        /// They were one, within the look-back.
        FormerMember = "former_member" "曾为组织成员",
        /// They work there.
        Employer = "employer" "任职单位",
        /// They worked there, sat on its board or advised it, within the look-back.
        Engagement = "engagement" "近年任职或顾问",
        /// They ran a project together, within the look-back.
        SharedProject = "shared_project" "共同承担项目",
        /// They bear the name of the person who signs for the organisation.
        LegalRepresentative = "legal_representative" "法定代表人",
        /// They bear the name of the person who leads the project.
        ProjectLead = "project_lead" "项目负责人",
        /// They are reached by the same telephone.
        Phone = "phone" "联系电话",
        /// Their mail goes to the same domain, which is no public one.
        EmailDomain = "email_domain" "邮箱域名",
    }
}

impl Ground {
    /// Whether it counts under every policy: what was said, and membership.
    pub const fn always_counts(self) -> bool {
        matches!(
            self,
            Self::Declared | Self::Pinned | Self::Member | Self::Applicant
        )
    }
}

/// Which grounds are computed, and how far back (`domain.md` §2.5 has three years).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InterestRules {
    /// The grounds that count, beside what was declared and membership, also of another applicant.
    pub grounds: BTreeSet<Ground>,
    /// How long after its end a membership or engagement still counts, in days before applications open.
    pub look_back_days: u32,
    /// Mail domains that anybody may use, beside the well-known ones.
    pub public_email_domains: BTreeSet<String>,
}

impl Default for InterestRules {
    fn default() -> Self {
        use crate::names::Names as _;
        Self {
            grounds: Ground::ALL.iter().copied().collect(),
            look_back_days: 3 * 365 + 1,
            public_email_domains: BTreeSet::new(),
        }
    }
}

impl InterestRules {
    /// Whether nothing differs from the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// An interest, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interest {
    /// Why.
    pub ground: Ground,
    /// What is on record: for staff, never for the expert of a blind round.
    pub evidence: Text,
}

/// Mail domains that anybody may use.
const PUBLIC_EMAIL_DOMAINS: &[&str] = &[
    "126.com",
    "139.com",
    "163.com",
    "188.com",
    "189.cn",
    "21cn.com",
    "263.net",
    "aliyun.com",
    "aol.com",
    "foxmail.com",
    "gmail.com",
    "gmx.com",
    "hotmail.com",
    "icloud.com",
    "live.cn",
    "live.com",
    "me.com",
    "msn.com",
    "outlook.cn",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "sina.cn",
    "sina.com",
    "sina.com.cn",
    "sohu.com",
    "tom.com",
    "vip.126.com",
    "vip.163.com",
    "vip.qq.com",
    "vip.sina.com",
    "vip.sohu.com",
    "wo.cn",
    "yahoo.cn",
    "yahoo.com",
    "yahoo.com.cn",
    "yeah.net",
];

/// Digits of a telephone number that tell whose it is.
const LEAST_DIGITS: usize = 7;

/// How a cycle looks at interests, as of the rules in force: so that the same records give the same answer
/// at any time.
struct Look<'a> {
    rules: InterestRules,
    /// What ended before this day does not count any more; none: everything counts.
    since: Option<(Date, TimeZone)>,
    expert: &'a Record<Expert>,
    found: Vec<Interest>,
}

/// Every interest of `expert` in the organisation behind something in the cycle of `journal`, and in
/// `subject` itself where it is an application. The world holds the expert, their account, the
/// organisation, and the cycle with its policy.
pub fn interests(
    expert: &Record<Expert>,
    organisation: Uuid,
    subject: Option<&Record<Application>>,
    journal: Uuid,
    world: &World,
) -> Vec<Interest> {
    let policy = world
        .get::<Cycle>(journal)
        .and_then(|cycle| world.get::<Policy>(cycle.data.policy?))
        .map(|policy| &policy.data.document);
    let mut look = Look {
        rules: policy.map_or_else(InterestRules::default, |one| one.interests.clone()),
        since: policy.and_then(since),
        expert,
        found: Vec::new(),
    };
    look.declared(organisation);
    let account = expert.data.account.and_then(|id| world.get::<Account>(id));
    if let Some(account) = account {
        look.belongs(&account.data, organisation);
        look.applies(&account.data, organisation, journal, world);
    }
    if let Some(organisation) = world.get::<Organisation>(organisation) {
        look.compare(&organisation.data);
    }
    if let Some(application) = subject {
        let lead = &application.data.form.lead;
        if same_name(&expert.data.profile.name, lead) {
            look.find(
                Ground::ProjectLead,
                format!("has the name of the project's lead, {lead}"),
                format!("与项目负责人{lead}同名"),
            );
        }
    }
    look.found
}

/// The first day that counts: the look-back before applications open.
fn since(policy: &PolicyDocument) -> Option<(Date, TimeZone)> {
    let zone = policy.zone();
    let days = i64::from(policy.interests.look_back_days);
    let opens = policy.application.opens_at.date_in(&zone);
    let first = opens
        .checked_sub(jiff::Span::new().try_days(days).ok()?)
        .ok()?;
    Some((first, zone))
}

impl Look<'_> {
    fn find(&mut self, ground: Ground, en: impl Into<String>, zh: impl Into<String>) {
        if ground.always_counts() || self.rules.grounds.contains(&ground) {
            self.found.push(Interest {
                ground,
                evidence: Text::new(en, zh),
            });
        }
    }

    fn declared(&mut self, organisation: Uuid) {
        let expert = self.expert;
        let conflicts = expert.data.conflicts.iter();
        for conflict in conflicts.filter(|one| one.organisation == organisation) {
            let (ground, who, zh) = if conflict.by_staff {
                (Ground::Pinned, "staff noted", "工作人员认定")
            } else {
                (Ground::Declared, "declared", "本人申报")
            };
            let why = &conflict.ground;
            self.find(ground, format!("{who}: {why}"), format!("{zh}:{why}"));
        }
    }

    fn belongs(&mut self, account: &Account, organisation: Uuid) {
        let left = account.memberships.get(&organisation);
        let left = left.and_then(|membership| membership.until);
        if account.organisations().contains(&organisation) {
            self.find(
                Ground::Member,
                "is a member of the organisation",
                "为该组织成员",
            );
        } else if let Some(left) = left.filter(|left| self.counts_after(*left)) {
            self.find(
                Ground::FormerMember,
                format!("was a member of the organisation until {left}"),
                format!("曾为该组织成员,至 {left}"),
            );
        }
    }

    fn applies(&mut self, account: &Account, judged: Uuid, journal: Uuid, world: &World) {
        for id in applies_for(account, journal, world) {
            if id == judged && account.organisations().contains(&id) {
                continue;
            }
            let name = world.get::<Organisation>(id);
            let name = name.map_or_else(|| id.to_string(), |one| one.data.profile.name.clone());
            self.find(
                Ground::Applicant,
                format!("belongs to {name}, which applies in this cycle"),
                format!("为本届申报方{name}的成员"),
            );
        }
    }

    fn compare(&mut self, organisation: &Organisation) {
        let (profile, theirs) = (&self.expert.data.profile, &organisation.profile);
        if same_name(&profile.employer, &theirs.name) {
            let employer = &profile.employer;
            self.find(
                Ground::Employer,
                format!("works for {employer}"),
                format!("任职于{employer}"),
            );
        }
        for former in &self.expert.data.former_employers {
            if same_name(&former.name, &theirs.name) && self.counts_after(former.until) {
                let (name, until) = (&former.name, former.until);
                self.find(
                    Ground::Engagement,
                    format!("named {name} as employer until {until}"),
                    format!("资料曾填任职单位{name},至 {until}"),
                );
            }
        }
        for engagement in &profile.engagements {
            if engagement.is_with(theirs) && self.counts_until(engagement.until) {
                self.engaged(engagement);
            }
        }
        if same_name(&profile.name, &theirs.legal_representative) {
            let name = &theirs.legal_representative;
            self.find(
                Ground::LegalRepresentative,
                format!("has the name of the legal representative, {name}"),
                format!("与法定代表人{name}同名"),
            );
        }
        if same_phone(&profile.phone, &theirs.phone) {
            self.find(
                Ground::Phone,
                format!(
                    "is reached by the organisation's telephone, {}",
                    theirs.phone
                ),
                format!("与该组织联系电话相同:{}", theirs.phone),
            );
        }
        if let Some(domain) = self.shared_domain(&profile.email, &theirs.email) {
            self.find(
                Ground::EmailDomain,
                format!("has mail at the organisation's domain, {domain}"),
                format!("与该组织邮箱域名相同:{domain}"),
            );
        }
    }

    fn engaged(&mut self, engagement: &Engagement) {
        let what = &engagement.what;
        let until = engagement.until.map(|day| day.to_string());
        let (en, zh) = match until {
            Some(until) => (format!(", until {until}"), format!(",至 {until}")),
            None => (", to this day".to_owned(), ",至今".to_owned()),
        };
        let with = &engagement.organisation;
        match engagement.relation {
            Relation::Project => self.find(
                Ground::SharedProject,
                format!("ran a project with {with}: {what}{en}"),
                format!("曾与{with}共同承担项目:{what}{zh}"),
            ),
            relation => self.find(
                Ground::Engagement,
                format!("{relation} at {with}: {what}{en}"),
                format!("{}({with}):{what}{zh}", crate::names::Names::zh(relation)),
            ),
        }
    }

    fn counts_until(&self, until: Option<Date>) -> bool {
        match (until, &self.since) {
            (Some(until), Some((since, _))) => *since <= until,
            _ => true,
        }
    }

    fn counts_after(&self, at: Timestamp) -> bool {
        self.since
            .as_ref()
            .is_none_or(|(since, zone)| *since <= at.date_in(zone))
    }

    /// The mail domain of both, where it is not one that anybody may use.
    fn shared_domain(&self, one: &str, other: &str) -> Option<String> {
        let (one, other) = (domain(one)?, domain(other)?);
        let named = |public: &String| {
            public
                .trim()
                .trim_start_matches('@')
                .eq_ignore_ascii_case(&one)
        };
        let public = PUBLIC_EMAIL_DOMAINS.contains(&one.as_str())
            || self.rules.public_email_domains.iter().any(named);
        (one == other && !public).then_some(one)
    }
}

impl Engagement {
    /// Whether it was with this organisation: by its code where both have one, else by its name.
    fn is_with(&self, profile: &crate::organisation::Profile) -> bool {
        match (&self.uscc, &profile.uscc) {
            (Some(one), Some(other)) => {
                crate::uscc::normalise(one) == crate::uscc::normalise(other)
            }
            _ => same_name(&self.organisation, &profile.name),
        }
    }
}

fn same_name(one: &str, other: &str) -> bool {
    let key = comparison_key(one);
    !key.is_empty() && key == comparison_key(other)
}

fn same_phone(one: &str, other: &str) -> bool {
    !numbers(one).is_disjoint(&numbers(other))
}

/// The telephone numbers of a text, several with a mark between: their digits without the country and the
/// zero before an area.
fn numbers(text: &str) -> BTreeSet<String> {
    let folded: String = text.nfkc().collect();
    folded
        .split(['/', ',', ';', '、'])
        .filter_map(|one| {
            let digits: String = one.chars().filter(char::is_ascii_digit).collect();
            let digits = digits.trim_start_matches('0');
            // With an area or as a mobile number, ten digits at least; a short number may begin with 86.
            let national = digits.strip_prefix("86").filter(|rest| 10 <= rest.len());
            let digits = national.unwrap_or(digits).trim_start_matches('0');
            (LEAST_DIGITS <= digits.len()).then(|| digits.to_owned())
        })
        .collect()
}

fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.trim().rsplit_once('@')?;
    let domain = domain.trim_end_matches(['.', '>']).to_ascii_lowercase();
    Some(domain).filter(|one| one.contains('.'))
}

/// What shows these interests, as one sentence in each language.
pub fn said(interests: &[Interest]) -> Text {
    let join = |pick: fn(&Text) -> &String, between: &str| {
        let all = interests.iter().map(|one| pick(&one.evidence).as_str());
        all.collect::<Vec<&str>>().join(between)
    };
    Text::new(join(|text| &text.en, "; "), join(|text| &text.zh, ";"))
}
