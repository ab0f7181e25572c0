-- Where every fen of each award is. The engine keeps it, from whatever writes the states of projects and
-- tranches, so that no code can pay more than the award: docs/decisions/0009-the-database-counts-the-money.md.
CREATE TABLE award_balance (
    journal   UUID   NOT NULL,
    project   UUID   NOT NULL,
    award     BIGINT NOT NULL, -- all amounts in fen
    paid      BIGINT NOT NULL,
    withheld  BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    remaining BIGINT NOT NULL,
    refunded  BIGINT NOT NULL, -- of the paid
    PRIMARY KEY (journal, project),
    CONSTRAINT award_not_exceeded CHECK (paid >= 0 AND withheld >= 0 AND cancelled >= 0 AND remaining >= 0),
    CONSTRAINT award_accounted_for CHECK (paid + withheld + cancelled + remaining = award),
    CONSTRAINT refund_not_exceeded CHECK (refunded >= 0 AND refunded <= paid)
);

-- Tranches of before were paid as a whole.
UPDATE state SET body = json_set(body, '$.paid', amount, '$.payments', json_array(json_object(
    'amount', amount, 'voucher', json_extract(body, '$.voucher'), 'paid_on', json_extract(body, '$.paid_on'),
    'requested_by', json_extract(body, '$.requested_by'), 'approved_by', json_extract(body, '$.approved_by'),
    'paid_by', json_extract(body, '$.paid_by'))), '$.requested', amount)
WHERE kind = 'tranche' AND stage = 'paid';
UPDATE state SET body = json_set(body, '$.cancelled', amount) WHERE kind = 'tranche' AND stage = 'cancelled';

INSERT INTO award_balance (journal, project, award, paid, withheld, cancelled, remaining, refunded)
SELECT journal, id, amount, paid, withheld, cancelled, amount - paid - withheld - cancelled, refunded FROM (
    SELECT project.journal, project.id, project.amount,
        COALESCE(SUM(CASE tranche.stage WHEN 'paid' THEN tranche.amount ELSE 0 END), 0) AS paid,
        COALESCE(SUM(CASE tranche.stage WHEN 'withheld' THEN tranche.amount ELSE 0 END), 0) AS withheld,
        COALESCE(SUM(CASE tranche.stage WHEN 'cancelled' THEN tranche.amount ELSE 0 END), 0) AS cancelled,
        json_extract(project.body, '$.refunded') AS refunded
    FROM state AS project LEFT JOIN state AS tranche
        ON tranche.journal = project.journal AND tranche.kind = 'tranche' AND tranche.parent = project.id
    WHERE project.kind = 'project' GROUP BY project.journal, project.id, project.amount, project.body
);

CREATE TRIGGER award_balance_opened AFTER INSERT ON state WHEN NEW.kind = 'project'
BEGIN
    INSERT INTO award_balance (journal, project, award, paid, withheld, cancelled, remaining, refunded)
    VALUES (NEW.journal, NEW.id, NEW.amount, 0, 0, 0, NEW.amount, COALESCE(json_extract(NEW.body, '$.refunded'), 0));
END;

CREATE TRIGGER award_balance_refunded AFTER UPDATE ON state WHEN NEW.kind = 'project' OR OLD.kind = 'project'
BEGIN
    SELECT RAISE(ABORT, 'the award of a project never changes')
    WHERE NEW.amount IS NOT OLD.amount OR NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind OR NEW.journal IS NOT OLD.journal;
    UPDATE award_balance SET refunded = COALESCE(json_extract(NEW.body, '$.refunded'), 0)
    WHERE journal = NEW.journal AND project = NEW.id;
END;

CREATE TRIGGER tranche_counted AFTER INSERT ON state WHEN NEW.kind = 'tranche'
BEGIN
    SELECT RAISE(ABORT, 'a tranche belongs to a project')
    WHERE NOT EXISTS (SELECT project FROM award_balance WHERE journal = NEW.journal AND project = NEW.parent);
    SELECT RAISE(ABORT, 'a paid tranche has nothing left to pay')
    WHERE NEW.stage = 'paid'
        AND COALESCE(json_extract(NEW.body, '$.paid'), 0) + COALESCE(json_extract(NEW.body, '$.cancelled'), 0) <> NEW.amount;
    UPDATE award_balance SET
        paid = paid + COALESCE(json_extract(NEW.body, '$.paid'), 0),
        cancelled = cancelled + COALESCE(json_extract(NEW.body, '$.cancelled'), 0),
        withheld = withheld + CASE NEW.stage WHEN 'withheld' THEN NEW.amount
            - COALESCE(json_extract(NEW.body, '$.paid'), 0) - COALESCE(json_extract(NEW.body, '$.cancelled'), 0) ELSE 0 END,
        remaining = remaining - CASE NEW.stage WHEN 'withheld' THEN NEW.amount
            ELSE COALESCE(json_extract(NEW.body, '$.paid'), 0) + COALESCE(json_extract(NEW.body, '$.cancelled'), 0) END
    WHERE journal = NEW.journal AND project = NEW.parent;
END;

CREATE TRIGGER tranche_recounted AFTER UPDATE ON state WHEN NEW.kind = 'tranche' OR OLD.kind = 'tranche'
BEGIN
    SELECT RAISE(ABORT, 'the amount of a tranche never changes')
    WHERE NEW.amount IS NOT OLD.amount OR NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind
        OR NEW.journal IS NOT OLD.journal OR NEW.parent IS NOT OLD.parent;
    SELECT RAISE(ABORT, 'a payment is never taken back')
    WHERE COALESCE(json_extract(NEW.body, '$.paid'), 0) < COALESCE(json_extract(OLD.body, '$.paid'), 0)
        OR COALESCE(json_extract(NEW.body, '$.cancelled'), 0) < COALESCE(json_extract(OLD.body, '$.cancelled'), 0);
    SELECT RAISE(ABORT, 'a paid tranche has nothing left to pay')
    WHERE NEW.stage = 'paid'
        AND COALESCE(json_extract(NEW.body, '$.paid'), 0) + COALESCE(json_extract(NEW.body, '$.cancelled'), 0) <> NEW.amount;
    UPDATE award_balance SET
        paid = paid + COALESCE(json_extract(NEW.body, '$.paid'), 0) - COALESCE(json_extract(OLD.body, '$.paid'), 0),
        cancelled = cancelled
            + COALESCE(json_extract(NEW.body, '$.cancelled'), 0) - COALESCE(json_extract(OLD.body, '$.cancelled'), 0),
        withheld = withheld
            + CASE NEW.stage WHEN 'withheld' THEN NEW.amount
                - COALESCE(json_extract(NEW.body, '$.paid'), 0) - COALESCE(json_extract(NEW.body, '$.cancelled'), 0) ELSE 0 END
            - CASE OLD.stage WHEN 'withheld' THEN OLD.amount
                - COALESCE(json_extract(OLD.body, '$.paid'), 0) - COALESCE(json_extract(OLD.body, '$.cancelled'), 0) ELSE 0 END,
        remaining = remaining
            - CASE NEW.stage WHEN 'withheld' THEN NEW.amount
                ELSE COALESCE(json_extract(NEW.body, '$.paid'), 0) + COALESCE(json_extract(NEW.body, '$.cancelled'), 0) END
            + CASE OLD.stage WHEN 'withheld' THEN OLD.amount
                ELSE COALESCE(json_extract(OLD.body, '$.paid'), 0) + COALESCE(json_extract(OLD.body, '$.cancelled'), 0) END
    WHERE journal = NEW.journal AND project = NEW.parent;
END;

CREATE TRIGGER money_not_forgotten BEFORE DELETE ON state WHEN OLD.kind IN ('project', 'tranche')
BEGIN
    SELECT RAISE(ABORT, 'projects and their tranches are not deleted');
END;

CREATE TRIGGER balance_not_forgotten BEFORE DELETE ON award_balance
BEGIN
    SELECT RAISE(ABORT, 'projects and their tranches are not deleted');
END;

CREATE TRIGGER balance_award_fixed BEFORE UPDATE ON award_balance
WHEN NEW.award <> OLD.award OR NEW.project <> OLD.project OR NEW.journal <> OLD.journal
BEGIN
    SELECT RAISE(ABORT, 'the award of a project never changes');
END;
