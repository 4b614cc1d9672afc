DROP TABLE IF EXISTS bare_payment, bare_detached, bare_budget, bare_entry, bare_leg, bare_seal, bare_run, bare_head;
CREATE TABLE bare_run (id bigint PRIMARY KEY, state text NOT NULL, n bigint NOT NULL, total bigint NOT NULL);
CREATE TABLE bare_budget (org_id bigint PRIMARY KEY, allotted bigint NOT NULL, held bigint NOT NULL DEFAULT 0,
    used bigint NOT NULL DEFAULT 0, CHECK (held >= 0 AND used >= 0 AND held + used <= allotted));
CREATE TABLE bare_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id bigint NOT NULL, org_id bigint NOT NULL);
CREATE TABLE bare_leg (entry_id bigint REFERENCES bare_entry, account bigint NOT NULL, amount bigint NOT NULL);
CREATE TABLE bare_seal (run_id bigint, no bigint, h bytea NOT NULL, PRIMARY KEY (run_id, no));
CREATE TABLE bare_head (h bytea NOT NULL, seq bigint NOT NULL);
CREATE TABLE bare_payment (run_id bigint NOT NULL, beneficiary_id bigint NOT NULL, org_id bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0), description text NOT NULL, bank_ref text NOT NULL) PARTITION BY LIST (run_id);
INSERT INTO bare_budget (org_id, allotted) SELECT id, 1000000000000 FROM core_org WHERE level = 'city';
INSERT INTO bare_head VALUES ('', 0);
COMMIT;
INSERT INTO bare_run SELECT 1, 'reserved', count(*), sum(91911) FROM four_seasons_hardship WHERE program_year_id = {year};
UPDATE bare_budget SET held = sums.fen FROM (
    SELECT city.id, sum(91911) AS fen FROM four_seasons_hardship line
      JOIN core_org city ON city.level = 'city' AND line.org_path >= city.path AND line.org_path < left(city.path, -1) || '0'
     WHERE program_year_id = {year} GROUP BY city.id) sums WHERE sums.id = bare_budget.org_id;
COMMIT;
CREATE TABLE bare_detached (LIKE bare_payment INCLUDING CONSTRAINTS);
INSERT INTO bare_detached
SELECT 1, line.person_id, line.org_id, 91911, 'winter', '' FROM four_seasons_hardship line WHERE program_year_id = {year}
 ORDER BY line.person_id;
COMMIT;
ALTER TABLE bare_detached ADD PRIMARY KEY (run_id, beneficiary_id);
CREATE INDEX ON bare_detached (beneficiary_id);
SELECT count(*), sum(amount) FROM bare_detached;
SELECT count(*) FROM bare_detached line LEFT JOIN core_person person ON person.id = line.beneficiary_id WHERE person.id IS NULL;
INSERT INTO bare_seal SELECT 1, (n - 1) / 1000, sha256(convert_to(string_agg(said, E'\n' ORDER BY beneficiary_id), 'UTF8'))
  FROM (SELECT row_number() OVER (ORDER BY beneficiary_id) AS n, beneficiary_id,
               concat_ws('|', beneficiary_id, org_id, amount, description, bank_ref) AS said FROM bare_detached) line
 GROUP BY 1, 2;
COMMIT;
UPDATE bare_budget SET used = held, held = 0;
WITH entry AS (INSERT INTO bare_entry (run_id, org_id) SELECT 1, org_id FROM bare_budget WHERE used > 0 RETURNING id, org_id)
INSERT INTO bare_leg SELECT entry.id, side.account, side.sign * budget.used
  FROM entry JOIN bare_budget budget USING (org_id), (VALUES (1, 1), (2, -1)) side (account, sign);
UPDATE bare_head SET seq = seq + 1, h = (SELECT sha256(string_agg(h, ''::bytea ORDER BY no)) FROM bare_seal);
UPDATE bare_run SET state = 'posted';
ALTER TABLE bare_detached ADD CHECK (run_id = 1);
ALTER TABLE bare_payment ATTACH PARTITION bare_detached FOR VALUES IN (1);
COMMIT;
