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
UPDATE state SET body = (body::jsonb || jsonb_build_object('paid', amount, 'requested', amount,
    'payments', jsonb_build_array(jsonb_build_object(
        'amount', amount, 'voucher', body::jsonb -> 'voucher', 'paid_on', body::jsonb -> 'paid_on',
        'requested_by', body::jsonb -> 'requested_by', 'approved_by', body::jsonb -> 'approved_by',
        'paid_by', body::jsonb -> 'paid_by'))))::text
WHERE kind = 'tranche' AND stage = 'paid';
UPDATE state SET body = (body::jsonb || jsonb_build_object('cancelled', amount))::text
WHERE kind = 'tranche' AND stage = 'cancelled';

INSERT INTO award_balance (journal, project, award, paid, withheld, cancelled, remaining, refunded)
SELECT journal, id, amount, paid, withheld, cancelled, amount - paid - withheld - cancelled, refunded FROM (
    SELECT project.journal, project.id, project.amount,
        COALESCE(SUM(CASE tranche.stage WHEN 'paid' THEN tranche.amount ELSE 0 END), 0)::bigint AS paid,
        COALESCE(SUM(CASE tranche.stage WHEN 'withheld' THEN tranche.amount ELSE 0 END), 0)::bigint AS withheld,
        COALESCE(SUM(CASE tranche.stage WHEN 'cancelled' THEN tranche.amount ELSE 0 END), 0)::bigint AS cancelled,
        COALESCE((project.body::jsonb ->> 'refunded')::bigint, 0) AS refunded
    FROM state AS project LEFT JOIN state AS tranche
        ON tranche.journal = project.journal AND tranche.kind = 'tranche' AND tranche.parent = project.id
    WHERE project.kind = 'project' GROUP BY project.journal, project.id, project.amount, project.body
) AS before;

CREATE FUNCTION tranche_part(body TEXT, part TEXT) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS
    $$ SELECT COALESCE((body::jsonb ->> part)::bigint, 0) $$;

CREATE FUNCTION count_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO award_balance (journal, project, award, paid, withheld, cancelled, remaining, refunded)
        VALUES (NEW.journal, NEW.id, NEW.amount, 0, 0, 0, NEW.amount, tranche_part(NEW.body, 'refunded'));
    ELSE
        IF (NEW.amount, NEW.id, NEW.kind, NEW.journal) IS DISTINCT FROM (OLD.amount, OLD.id, OLD.kind, OLD.journal) THEN
            RAISE EXCEPTION 'the award of a project never changes';
        END IF;
        UPDATE award_balance SET refunded = tranche_part(NEW.body, 'refunded')
        WHERE journal = NEW.journal AND project = NEW.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_tranche() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_paid      BIGINT := tranche_part(NEW.body, 'paid');
    now_cancelled BIGINT := tranche_part(NEW.body, 'cancelled');
    now_withheld  BIGINT := CASE NEW.stage WHEN 'withheld' THEN NEW.amount - now_paid - now_cancelled ELSE 0 END;
    was_paid      BIGINT := 0;
    was_cancelled BIGINT := 0;
    was_withheld  BIGINT := 0;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.amount, NEW.id, NEW.kind, NEW.journal, NEW.parent)
            IS DISTINCT FROM (OLD.amount, OLD.id, OLD.kind, OLD.journal, OLD.parent) THEN
            RAISE EXCEPTION 'the amount of a tranche never changes';
        END IF;
        was_paid := tranche_part(OLD.body, 'paid');
        was_cancelled := tranche_part(OLD.body, 'cancelled');
        was_withheld := CASE OLD.stage WHEN 'withheld' THEN OLD.amount - was_paid - was_cancelled ELSE 0 END;
        IF now_paid < was_paid OR now_cancelled < was_cancelled THEN
            RAISE EXCEPTION 'a payment is never taken back';
        END IF;
    END IF;
    IF NEW.stage = 'paid' AND now_paid + now_cancelled <> NEW.amount THEN
        RAISE EXCEPTION 'a paid tranche has nothing left to pay';
    END IF;
    UPDATE award_balance SET
        paid = paid + now_paid - was_paid,
        cancelled = cancelled + now_cancelled - was_cancelled,
        withheld = withheld + now_withheld - was_withheld,
        remaining = remaining - (now_paid + now_cancelled + now_withheld) + (was_paid + was_cancelled + was_withheld)
    WHERE journal = NEW.journal AND project = NEW.parent;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a tranche belongs to a project';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION refuse_forgetting_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'projects and their tranches are not deleted';
END
$$;

CREATE FUNCTION refuse_other_award() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the award of a project never changes';
END
$$;

CREATE TRIGGER award_balance_opened AFTER INSERT ON state
    FOR EACH ROW WHEN (NEW.kind = 'project') EXECUTE FUNCTION count_project();
CREATE TRIGGER award_balance_refunded AFTER UPDATE ON state
    FOR EACH ROW WHEN (NEW.kind = 'project' OR OLD.kind = 'project') EXECUTE FUNCTION count_project();
CREATE TRIGGER tranche_counted AFTER INSERT ON state
    FOR EACH ROW WHEN (NEW.kind = 'tranche') EXECUTE FUNCTION count_tranche();
CREATE TRIGGER tranche_recounted AFTER UPDATE ON state
    FOR EACH ROW WHEN (NEW.kind = 'tranche' OR OLD.kind = 'tranche') EXECUTE FUNCTION count_tranche();
CREATE TRIGGER money_not_forgotten BEFORE DELETE ON state
    FOR EACH ROW WHEN (OLD.kind IN ('project', 'tranche')) EXECUTE FUNCTION refuse_forgetting_money();
CREATE TRIGGER balance_not_forgotten BEFORE DELETE ON award_balance
    FOR EACH ROW EXECUTE FUNCTION refuse_forgetting_money();
CREATE TRIGGER balance_award_fixed BEFORE UPDATE ON award_balance
    FOR EACH ROW WHEN ((NEW.award, NEW.project, NEW.journal) IS DISTINCT FROM (OLD.award, OLD.project, OLD.journal))
    EXECUTE FUNCTION refuse_other_award();
