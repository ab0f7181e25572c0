//! The stage of the play: people, the cycle, and the moves that several scenes share.

use serde_json::{Value, json};

use super::cast::{Applicant, Fate};
use super::client::{Client, DemoError, Person, items, text};

/// The password of everybody in the demonstration.
pub(crate) const PASSWORD: &str = "wujin-demo-2024";

/// One application with what has become of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What the script says of it.
    pub applicant: Applicant,
    /// Who writes for the organisation.
    pub owner: Person,
    /// The application.
    pub application: String,
    /// The project, once there is one.
    pub project: Option<String>,
}

impl Entry {
    /// An application that has just been begun.
    pub(crate) const fn new(applicant: Applicant, owner: Person, application: String) -> Self {
        Self {
            applicant,
            owner,
            application,
            project: None,
        }
    }

    /// Whether experts read it.
    pub(crate) const fn is_read(&self) -> bool {
        !matches!(
            self.applicant.fate,
            Fate::Expired | Fate::Rejected | Fate::Withdrawn
        )
    }

    /// Whether it is invited to the roadshow.
    pub(crate) const fn is_shortlisted(&self) -> bool {
        self.is_read() && !matches!(self.applicant.fate, Fate::NotShortlisted)
    }

    /// Whether it becomes one of the fourteen projects.
    pub(crate) const fn is_funded(&self) -> bool {
        matches!(self.applicant.fate, Fate::Funded | Fate::Promoted)
    }
}

/// Everybody and everything on stage.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    /// The caller.
    pub client: Client,
    /// Keeps accounts and the clock.
    pub admin: Person,
    /// Runs the cycle.
    pub staff: Person,
    /// Runs the cycle, too: re-checks are done by somebody else.
    pub staff_2: Person,
    /// Approves.
    pub lead: Person,
    /// Approves what the other lead must not.
    pub lead_2: Person,
    /// Confirms payments.
    pub finance: Person,
    /// Reads everything.
    pub auditor: Person,
    /// Seven experts.
    pub experts: Vec<Person>,
    /// The cycle.
    pub cycle: String,
    /// The selection that was announced.
    pub selection: String,
    /// Every application.
    pub entries: Vec<Entry>,
}

impl Play {
    /// Opens the accounts of the bureau and the experts.
    pub(crate) async fn open(client: Client, admin: Person) -> Result<Self, DemoError> {
        client
            .put_clock(&admin, "2024-04-22T08:30:00+08:00")
            .await?;
        let mut experts = Vec::new();
        for number in 1..=7 {
            experts.push(
                register(
                    &client,
                    &format!("(演示)专家{number}"),
                    &format!("expert{number}@demo.invalid"),
                )
                .await?,
            );
        }
        Ok(Self {
            staff: register(&client, "(演示)经办人甲", "staff@demo.invalid").await?,
            staff_2: register(&client, "(演示)经办人乙", "staff2@demo.invalid").await?,
            lead: register(&client, "(演示)审批负责人甲", "lead@demo.invalid").await?,
            lead_2: register(&client, "(演示)审批负责人乙", "lead2@demo.invalid").await?,
            finance: register(&client, "(演示)财务", "finance@demo.invalid").await?,
            auditor: register(&client, "(演示)审计", "auditor@demo.invalid").await?,
            experts,
            client,
            admin,
            cycle: String::new(),
            selection: String::new(),
            entries: Vec::new(),
        })
    }

    /// Who works for the bureau, and as what.
    pub(crate) fn bureau_roles(&self) -> [(Person, &'static str); 6] {
        [
            (self.staff.clone(), "staff"),
            (self.staff_2.clone(), "staff"),
            (self.lead.clone(), "lead"),
            (self.lead_2.clone(), "lead"),
            (self.finance.clone(), "finance"),
            (self.auditor.clone(), "auditor"),
        ]
    }

    /// Registers somebody and signs them in.
    pub(crate) async fn register(&self, name: &str, email: &str) -> Result<Person, DemoError> {
        register(&self.client, name, email).await
    }

    /// Sets the clock.
    pub(crate) async fn at(&self, now: &str) -> Result<(), DemoError> {
        self.client.put_clock(&self.admin, now).await
    }

    /// A collection of the cycle.
    pub(crate) fn path(&self, plural: &str) -> String {
        format!("/v1/cycles/{}/{plural}", self.cycle)
    }

    /// Moves the cycle on.
    pub(crate) async fn move_cycle(&self, verb: &str) -> Result<(), DemoError> {
        self.client
            .post(
                &self.staff,
                &format!("/v1/cycles/{}/{verb}", self.cycle),
                json!({}),
            )
            .await
            .map(drop)
    }

    /// Asks for `verb` unless the service's own clock has brought the record to `stage` already.
    pub(crate) async fn reach(
        &self,
        who: &Person,
        record: &str,
        verb: &str,
        stage: &str,
    ) -> Result<(), DemoError> {
        if self.client.get(who, record).await?.text("stage")? != stage {
            self.client
                .post(who, &format!("{record}/{verb}"), json!({}))
                .await?;
        }
        Ok(())
    }

    /// The one application of a fate that only one has.
    pub(crate) fn entry(&self, fate: Fate) -> Result<Entry, DemoError> {
        let found = self
            .entries
            .iter()
            .find(|entry| entry.applicant.fate == fate)
            .cloned();
        found.ok_or_else(|| DemoError::Lacks(format!("application with the fate {fate:?}")))
    }

    /// The fourteen, each with its project.
    pub(crate) fn projects(&self) -> Vec<(Entry, String)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.clone(), entry.project.clone()?)))
            .collect()
    }

    /// Requests, approves and pays the tranche of `project` that waits for `condition`: three people.
    pub(crate) async fn pay(
        &self,
        project: &str,
        condition: &str,
        day: &str,
    ) -> Result<(), DemoError> {
        let tranches = items(
            &self
                .client
                .get(
                    &self.staff,
                    &format!("{}?parent={project}", self.path("tranches")),
                )
                .await?
                .body,
        );
        for tranche in tranches
            .iter()
            .filter(|tranche| tranche["after"] == condition)
        {
            let record = format!("/v1/tranches/{}", text(tranche, "id")?);
            self.client
                .post(&self.staff, &format!("{record}/request"), json!({}))
                .await?;
            self.client
                .post(&self.lead, &format!("{record}/approve"), json!({}))
                .await?;
            let payment = json!({ "amount": tranche["amount"], "voucher": format!("(演示){condition}-{day}"), "paid_on": day });
            self.client
                .post(&self.finance, &format!("{record}/pay"), payment)
                .await?;
        }
        Ok(())
    }

    /// Puts a panel together.
    async fn form(&self, round: &str, experts: &[Person]) -> Result<String, DemoError> {
        let accounts: Vec<&str> = experts
            .iter()
            .map(|expert| expert.account.as_str())
            .collect();
        let chair = accounts.first();
        self.client
            .post(
                &self.staff,
                &self.path("panels"),
                json!({ "round": round, "experts": accounts, "chair": chair }),
            )
            .await?
            .text("id")
    }

    /// Puts a panel together, has everything in the round assigned by plan, and opens it.
    pub(crate) async fn seat_by_plan(
        &self,
        round: &str,
        experts: &[Person],
        plan: Value,
    ) -> Result<String, DemoError> {
        let panel = self.form(round, experts).await?;
        for (verb, body) in [
            ("plan_assignment", plan),
            ("apply_plan", json!({})),
            ("open", json!({})),
        ] {
            self.client
                .post(&self.staff, &format!("/v1/panels/{panel}/{verb}"), body)
                .await?;
        }
        Ok(panel)
    }

    /// Puts a panel together, gives every subject to every expert, and opens it.
    pub(crate) async fn seat(
        &self,
        round: &str,
        experts: &[Person],
        subjects: &[String],
    ) -> Result<String, DemoError> {
        let panel = self.form(round, experts).await?;
        let accounts: Vec<&str> = experts
            .iter()
            .map(|expert| expert.account.as_str())
            .collect();
        let pairs: Vec<Value> = subjects
            .iter()
            .flat_map(|subject| {
                accounts
                    .iter()
                    .map(move |expert| json!({ "expert": expert, "subject": subject }))
            })
            .collect();
        self.client
            .post(
                &self.staff,
                &format!("/v1/panels/{panel}/assign"),
                json!({ "pairs": pairs }),
            )
            .await?;
        self.client
            .post(&self.staff, &format!("/v1/panels/{panel}/open"), json!({}))
            .await?;
        Ok(panel)
    }

    /// Every expert saves and hands in their sheets of `panel`; where `marks` gives none, the sheet
    /// stays as it is.
    pub(crate) async fn score(
        &self,
        panel: &str,
        experts: &[Person],
        marks: impl Fn(&str, &Person) -> Option<Value>,
    ) -> Result<(), DemoError> {
        for expert in experts {
            let mine = items(
                &self
                    .client
                    .get(expert, &format!("{}?limit=200", self.path("sheets")))
                    .await?
                    .body,
            );
            for sheet in mine
                .iter()
                .filter(|sheet| sheet["panel"] == panel && sheet["stage"] == "pending")
            {
                let Some(marks) = marks(&text(sheet, "subject")?, expert) else {
                    continue;
                };
                let record = format!("/v1/sheets/{}", text(sheet, "id")?);
                self.client
                    .replace(expert, &record, "save", json!({ "marks": marks }))
                    .await?;
                self.client
                    .post(expert, &format!("{record}/submit"), json!({}))
                    .await?;
            }
        }
        Ok(())
    }
}

async fn register(client: &Client, name: &str, email: &str) -> Result<Person, DemoError> {
    client
        .post_as_public(
            "/v1/register",
            json!({ "email": email, "name": name, "password": PASSWORD, "locale": "zh-CN" }),
        )
        .await?;
    client.sign_in(name, email, PASSWORD).await
}

/// The commitment to a seed: lowercase hex of SHA-256 over its bytes.
pub(crate) fn commitment_of(seed_hex: &str) -> String {
    let bytes: Vec<u8> = seed_hex
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    fundcycle_scoring::commitment(&bytes)
}
