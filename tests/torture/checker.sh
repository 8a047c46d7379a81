# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Compares every record of the database with what the services have, and both with what the writers were told.  It knows the tables and
# the services' screens, and nothing of the worker: SQL, curl and jq.

# Both print one JSON array a record, sorted: module, the service's id, then the fields.  What never reached a service has the id null.
database_records() {
  query "
    SET timezone = 'UTC';
    SELECT s.line FROM (
    SELECT a.id, jsonb_build_array('Accounts', a.external_id, a.account_name, a.phone, a.description, p.external_id) AS line
      FROM crm_bridge.crm_account AS a LEFT JOIN crm_bridge.crm_account AS p ON p.id = a.parent_account_id
    UNION ALL
    SELECT c.id, jsonb_build_array('Contacts', c.external_id, c.first_name, c.last_name, c.email, c.description, a.external_id)
      FROM crm_bridge.crm_contact AS c LEFT JOIN crm_bridge.crm_account AS a ON a.id = c.account_id
    UNION ALL
    SELECT d.id, jsonb_build_array('Deals', d.external_id, d.deal_name, d.stage, d.amount, d.closing_date, d.next_step, d.description, a.external_id)
      FROM crm_bridge.crm_deal AS d LEFT JOIN crm_bridge.crm_account AS a ON a.id = d.account_id
    UNION ALL
    SELECT t.id, jsonb_build_array('Tasks', t.external_id, t.subject, t.status, t.priority, t.due_date, t.description,
                             COALESCE(d.external_id, a.external_id))
      FROM crm_bridge.crm_task AS t LEFT JOIN crm_bridge.crm_deal AS d ON d.id = t.deal_id
      LEFT JOIN crm_bridge.crm_account AS a ON a.id = t.account_id
    UNION ALL
    SELECT p.id, jsonb_build_array('projects', p.external_id, p.name, COALESCE(p.description, ''), p.end_date) FROM crm_bridge.projects_project AS p
    UNION ALL
    SELECT l.id, jsonb_build_array('tasklists', l.external_id, l.name) FROM crm_bridge.projects_task_list AS l
    UNION ALL
    SELECT t.id, jsonb_build_array('tasks', t.external_id, t.name, COALESCE(t.description, ''), t.priority, t.is_completed, t.end_date::date, p.external_id)
      FROM crm_bridge.projects_task AS t LEFT JOIN crm_bridge.projects_project AS p ON p.id = t.project_id) AS s
     -- What a service refused for good, and says so, is accounted for (D12).
     WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.delivery AS d WHERE d.record_id = s.id AND d.state IN ('parked', 'dead') AND s.line ->> 1 IS NULL)" | jq -c . | sort
}

# Lists are found by project only.
list_task_lists() {
  local project
  for project in $(as_person GET "/control/projects/$portal/projects" | jq -r ".[:50][].id"); do
    as_person GET "/control/projects/$portal/projects/$project/tasklists" | jq -c ".[] | [\"tasklists\", .id, .name]"
  done
}

service_records() {
  {
    as_person GET /control/crm/Accounts | jq -c '.[] | ["Accounts", .id, .Account_Name, .Phone, .Description, .Parent_Account.id]'
    as_person GET /control/crm/Contacts | jq -c '.[] | ["Contacts", .id, .First_Name, .Last_Name, .Email, .Description, .Account_Name.id]'
    as_person GET /control/crm/Deals |
      jq -c '.[] | ["Deals", .id, .Deal_Name, .Stage, .Amount, .Closing_Date, .Next_Step, .Description, .Account_Name.id]'
    as_person GET /control/crm/Tasks |
      jq -c '.[] | ["Tasks", .id, .Subject, .Status, .Priority, .Due_Date, .Description, .What_Id.id]'
    as_person GET "/control/projects/$portal/projects" | jq -c '.[] | ["projects", .id, .name, .description // "", .end_date]'
    list_task_lists
    as_person GET "/control/projects/$portal/tasks" |
      jq -c '.[] | ["tasks", .id, .name, .description // "", .priority, .status.is_closed_type, (.end_date // "" | .[0:10] | if . == "" then null else . end), .project.id]'
  } | sort
}

# Lines of differences: "<" the database's, ">" the service's.
differences() { diff <(database_records) <(service_records | jq -c .) | grep '^[<>]'; }

no_difference() {
  local here there
  here=$(database_records | md5sum) && there=$(service_records | jq -c . | md5sum) || return 1
  [[ $here == "$there" ]]
}

# A twin whose faces differ, told from the tables alone.
unequal_twins() {
  query "SELECT count(*) FROM crm_bridge.link AS l
           JOIN crm_bridge.crm_task AS c ON c.id = l.left_id JOIN crm_bridge.projects_task AS p ON p.id = l.right_id
          WHERE l.pairing = 'task_task' AND l.state = 'active'
            AND (c.subject IS DISTINCT FROM p.name OR (c.status = 'Completed') IS DISTINCT FROM COALESCE(p.is_completed, false))"
}

# How many records the services have more of a name than they should: names are unique in a torture, but for those that strangers share on purpose.
duplicates() {
  service_records | jq -r '[.[0], if .[0] == "Contacts" then .[3] else .[2] end] | @tsv' | grep -v $'\t''stranger ' | grep -v $'^tasklists\tGeneral$' | sort | uniq -d | wc -l
}

# The last value that each writer was told of, against what stands on both sides.  Prints "record field wanted found verdict" of each that is
# not there: reordered if an older value of the same writer stands, lost otherwise.
ledger_failures() {
  {
    query "SET timezone = 'UTC';
      SELECT 'app', id, 'crm_deal.next_step', external_id, next_step FROM crm_bridge.crm_deal
      UNION ALL SELECT 'app', id, 'crm_task.subject', external_id, subject FROM crm_bridge.crm_task
      UNION ALL SELECT 'app', id, 'crm_account.phone', external_id, phone FROM crm_bridge.crm_account" -F '|' | tr '|' '\t'
    as_person GET /control/crm/Deals | jq -r '.[] | ["service", .id, "Next_Step", .Next_Step // "", .Description // ""] | @tsv'
    as_person GET /control/crm/Accounts | jq -r '.[] | ["service", .id, "Phone", .Phone // "", .Description // ""] | @tsv'
    as_person GET /control/crm/Tasks | jq -r '.[] | ["service", .id, "Subject", .Subject // "", .Description // ""] | @tsv'
    as_person GET "/control/projects/$portal/tasks" | jq -r '.[] | ["service", .id, "name", .name // "", ""] | @tsv'
    sed 's/^/ledger\t/' "$SESSION/ledger"
  } | perl -F'\t' -lane '
    # What stands, by our id and by the service id; every service value of a record is looked through, so that no column can be confused.
    if ($F[0] eq "app") { $remote{$F[1]} = $F[3]; $here{"$F[1] $F[2]"} = $F[4]; }
    elsif ($F[0] eq "service") { $there{$F[1]} = [@F[3, 4]]; }
    else { push @{$told{"$F[1] $F[2] $F[3]"}}, $F[4]; }
    END {
      for my $key (keys %told) {
        my ($side, $record, $field) = split / /, $key;
        my ($wanted) = $told{$key}[-1];
        my $id = $side eq "app" ? $remote{$record} : $record;
        my ($writer) = $wanted =~ /^(.*) \d+$/;
        my @found = grep { /^\Q$writer\E \d+$/ } @{$there{$id // ""} // []};
        # A write whose answer was lost may stand instead of the last one that was told.
        next if @found and $found[0] ge $wanted;
        my $older = grep { @found and $_ eq $found[0] } @{$told{$key}};
        print join "\t", $record, $field, $wanted, $found[0] // "", $older ? "reordered" : "lost";
      }
    }'
}

# conclude NUMBER KEY=VALUE… : waits until both sides agree, compares, prints the line of the torture and keeps what a failure needs.
conclude() {
  local number=$1 explained missing unknown twice reordered failures twins verdict=PASS kept
  shift
  settle
  differences >"$SESSION/differences" || true
  ledger_failures >"$SESSION/ledger.failures"
  missing=$(grep -c '^<' "$SESSION/differences" || true)
  unknown=$(grep -c '^>' "$SESSION/differences" || true)
  reordered=$(grep -c 'reordered$' "$SESSION/ledger.failures" || true)
  failures=$(grep -c 'lost$' "$SESSION/ledger.failures" || true)
  twice=$(duplicates)
  explained=$(query "SELECT count(*) FROM crm_bridge.delivery WHERE state IN ('parked', 'dead') AND reason IS NOT NULL")
  twins=$(unequal_twins)
  ((missing + unknown + reordered + failures + twice + twins + extra_failures == 0)) && nothing_is_on_its_way || verdict=FAIL
  printf '%s %s lost=%d dup=%d reordered=%d twins_apart=%d explained=%d seed=%s %s\n' "$number" "$*" $((missing > unknown ? missing + failures : unknown + failures)) "$twice" "$reordered" "$twins" "$explained" "$seed" "$verdict"
  [[ $verdict == PASS ]] || {
    kept=$logs/torture/$number.$seed
    rm -rf "$kept" && mkdir -p "$kept"
    cp "$SESSION"/{ledger,ledger.failures,differences,journal.jsonl,*.log} "$kept"/ 2>/dev/null || true
    cp "$SESSION/cluster/server.log" "$kept"/ 2>/dev/null || true
    query "SELECT * FROM crm_bridge.delivery" >"$kept/delivery" 2>&1 || true
    as_person GET '/control/requests?limit=20000' >"$kept/requests.json" || true
    printf '# kept in %s\n' "$kept"
    head -n 5 "$SESSION/differences" | cut -c 1-300 | sed 's/^/#   /'
    head -n 5 "$SESSION/ledger.failures" | sed 's/^/#   /'
    head -n 5 "$kept/delivery" | cut -c 1-300 | sed 's/^/#   /'
  }
  extra_failures=0
  [[ $verdict == PASS ]]
}

# A finding of the torture's own, beside lost, doubled and reordered.
extra_failures=0
demand() {
  local what=$1
  shift
  "$@" && return 0
  printf '# %s: not so\n' "$what"
  extra_failures=$((extra_failures + 1))
}
