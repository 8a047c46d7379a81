# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T44 B2 B9: 8 writers in the database and 8 in the services on 200 hot tasks, with kills and faults (rounds: edits, 333 a second)
rounds=200000
reduced_rounds=3000

edits_a_second=333
george=george.tan@example.com

# Each value is entered once: "d3 000123" is the 123rd of the database's third writer, s3 of the services'.  Writers d1 to d4 change the CRM's
# face, d5 to d8 the Projects'; likewise s1 to s4 and s5 to s8 on the screens.

# chunk NAME FROM COUNT : lines "RECORD FIELD VALUE SECOND-RECORD", by the seed.
chunk() {
  awk -v name="$1" -v from="$2" -v count="$3" -v records="$hot" -v seed="$((seed * 1000 + 16#$(printf '%s' "$1" | md5sum | cut -c 1-4) + $2))" 'BEGIN {
    srand(seed)
    for (n = from; n < from + count; n++)
      printf "%d %d %s %06d %d\n", 1 + int(rand() * records), int(rand() * 2), name, n, 1 + int(rand() * records)
  }'
}

# Until its turn has come: edits are spread over the whole time.
wait_for_turn() {
  local wanted=$((started + $1 * 1000000 * 16 / edits_a_second)) now
  now=$(now_in_microseconds)
  ((wanted <= now)) || sleep "$(((wanted - now) / 1000000)).$(printf '%06d' $(((wanted - now) % 1000000)))"
}

# The SQL of a chunk.  Most writers send single statements; d4 writes at REPEATABLE READ, d8 two tasks in one transaction, in any order.
statements() {
  local name=$1 from=$2 ids=$3 table=$4 title=$5
  [[ $name != d4 ]] || printf 'SET default_transaction_isolation = "repeatable read";\n'
  chunk "$name" "$from" "$chunk_size" | awk -v ids="$ids" -v table="$table" -v title="$title" -v two="$([[ $name == d8 ]] && echo 1 || echo 0)" '
    BEGIN { while ((getline line < ids) > 0) id[++n] = line }
    { field = $2 == 0 ? title : "description"; value = $3 " " $4 }
    two && id[$1] != id[$5] {
      printf "DO $$ BEGIN UPDATE crm_bridge.%s SET %s = %c%s a%c WHERE id = %c%s%c; UPDATE crm_bridge.%s SET %s = %c%s b%c WHERE id = %c%s%c; END $$;\n",
        table, field, 39, value, 39, 39, id[$1], 39, table, field, 39, value, 39, 39, id[$5], 39
      printf "\\if :ERROR\n\\else\n\\echo %c%s\\t%s\\t%s a%c\n\\echo %c%s\\t%s\\t%s b%c\n\\endif\n", 39, table, field, value, 39, 39, table, field, value, 39
      next
    }
    { printf "UPDATE crm_bridge.%s SET %s = %c%s%c WHERE id = %c%s%c RETURNING %c%s%c, %c%s%c, %s;\n",
        table, field, 39, value, 39, 39, id[$1], 39, 39, table, 39, 39, field, 39, field }'
}

database_writer() {
  local name=$1 ids=$2 table=$3 title=$4 from
  for ((from = 1; from <= writer_edits; from += chunk_size)); do
    wait_for_turn "$from"
    statements "$name" "$from" "$ids" "$table" "$title"
  done | psql -X -q -A -t -F $'\t' -v VERBOSITY=sqlstate >"$SESSION/told.$name" 2>"$SESSION/errors.$name" || true
}

screen_writer() {
  local name=$1 ids=$2 path=$3 title=$4 description=$5 from
  : >"$SESSION/told.$name"
  for ((from = 1; from <= writer_edits; from += chunk_size)); do
    wait_for_turn "$from"
    chunk "$name" "$from" "$chunk_size" | awk -v ids="$ids" -v url="$SANDBOX_CONTROL/control/$path" -v title="$title" -v description="$description" -v person="$george" '
      BEGIN { while ((getline line < ids) > 0) id[++n] = line }
      { printf "%surl = \"%s/%s?person=%s\"\nrequest = PATCH\nheader = \"Content-Type: application/json\"\noutput = /dev/null\ndata = \"{\\\"%s\\\":\\\"%s %s\\\"}\"\nwrite-out = \"%%{http_code}\\t%s\\t%s\\t%s %s\\n\"\n",
          (NR == 1 ? "" : "next\n"), url, id[$1], person, ($2 == 0 ? title : description), $3, $4, url, ($2 == 0 ? title : description), $3, $4 }' |
      curl -sS --config - 2>>"$SESSION/errors.$name" | sed -n 's/^200\t//p' >>"$SESSION/told.$name" || true
  done
}

faults_for_a_while() {
  fault '[{"service":"crm","path_contains":"/Tasks","kind":"status","status":503,"times":3,"chance":10},{"service":"projects","path_contains":"/tasks","kind":"status","status":500,"times":3,"chance":5},
          {"service":"crm","path_contains":"/Tasks","kind":"drop_after","times":2,"chance":10},{"service":"projects","path_contains":"/tasks","kind":"drop_after","times":3,"chance":5},
          {"service":"crm","path_contains":"/Tasks","kind":"drop_before","times":2,"chance":10},{"service":"projects","path_contains":"/tasks","kind":"drop_before","times":2,"chance":5},
          {"service":"projects","path_contains":"/tasks","kind":"rate_limited","retry_after":"1","times":1,"chance":3},{"service":"crm","kind":"expire_token","times":1,"chance":5}]'
}

# What the services did, in order: milliseconds, "bridge" or "person", record and field, value.
effects() {
  jq -rc 'select((.module == "Tasks" or .module == "tasks") and .values != null) | . as $e | .values | to_entries[]
    | select(.key == "Subject" or .key == "Description" or .key == "name" or .key == "description")
    | [$e.at, (if $e.by == "'"$george_crm"'" or $e.by == "'"$george_projects"'" or $e.by == "'"$george"'" then "person" else "bridge" end), "\($e.service) \($e.id) \(.key)", (.value // "" | tostring)] | @tsv' "$SESSION/journal.jsonl"
}

# Of the values that are nowhere in the database: those which a service replaced before they were read, with how long they stood.
judge_unseen() {
  perl -F'\t' -lane '
    BEGIN { open my $f, "<", "'"$SESSION"'/nowhere"; while (<$f>) { chomp; $nowhere{$_} = 1 } }
    my ($at, $by, $where, $value) = @F;
    if (exists $standing{$where}) {
      my ($since, $was, $who) = @{$standing{$where}};
      if ($nowhere{$was}) { delete $nowhere{$was}; $by eq "person" ? $by_hand++ : $where =~ /^crm/ ? $unseen_crm++ : $unseen_projects++; my $took = $at - $since; $longest = $took if $by ne "person" && $took > $longest }
      $idle++ if $by eq "bridge" && $was eq $value && $who eq "person";
      next if $by eq "bridge" && $was eq $value;
    }
    $written++ if $by eq "bridge";
    $standing{$where} = [$at, $value, $by];
    END { printf "%d %d %d %d %d %d %d\n", scalar(keys %nowhere), $by_hand, $unseen_crm, $unseen_projects, $longest / 1000, $idle, $written; print STDERR "lost: $_" for keys %nowhere }'
}

writers_live() { local writer; for writer in "${writers[@]}"; do [[ -d /proc/$writer ]] && return 0; done; return 1; }

torture() {
  local kills=0 writers=() n name seconds at edits lost by_hand unseen_crm unseen_projects longest idle written conflicts single others here before
  hot=200
  [[ -z $reduced ]] || hot=40
  chunk_size=25
  writer_edits=$(($1 / 16))
  # Ten minutes of this are more than a day's credits of the CRM.
  query "SELECT crm_bridge.set_budget('zoho_crm', 100000000, '1 day')" >/dev/null
  set_up_projects_webhook "$portal"
  make_tasks both "$hot"
  query "SELECT c.id, p.id, c.external_id, p.external_id FROM crm_bridge.link AS l JOIN crm_bridge.crm_task AS c ON c.id = l.left_id
           JOIN crm_bridge.projects_task AS p ON p.id = l.right_id WHERE p.name LIKE 'both task %' ORDER BY p.name" >"$SESSION/hot"
  for n in 1 2 3 4; do cut -d '|' -f "$n" "$SESSION/hot" >"$SESSION/hot.$n"; done
  george_crm=$(scalar "SELECT external_id FROM crm_bridge.crm_user WHERE email = '$george'")
  george_projects=$(scalar "SELECT external_id FROM crm_bridge.projects_user WHERE email = '$george'")
  started=$(now_in_microseconds)
  at=$SECONDS
  for n in 1 2 3 4; do
    database_writer "d$n" "$SESSION/hot.1" crm_task subject & writers+=($!)
    database_writer "d$((n + 4))" "$SESSION/hot.2" projects_task name & writers+=($!)
    screen_writer "s$n" "$SESSION/hot.3" crm/Tasks Subject Description & writers+=($!)
    screen_writer "s$((n + 4))" "$SESSION/hot.4" "projects/$portal/tasks" name description & writers+=($!)
  done
  while writers_live; do
    faults_for_a_while
    pause_up_to 8000
    kill_worker
    start_our_worker
    kills=$((kills + 1))
  done
  wait_for_writers "${writers[@]}"
  seconds=$((SECONDS - at))
  clear_faults
  patience=300 settle
  # What was read already is read once more, all of it: nobody sends anything for that.
  before=$(effects | wc -l)
  read_everything_again
  settle
  demand "a reading of all that is known sends nothing" test "$before" = "$(effects | wc -l)"

  demand "no writer lost the server ($(cat "$SESSION"/errors.d? | grep -c 'connection to server was lost'))" test "$(cat "$SESSION"/errors.d? | grep -c 'connection to server was lost')" = 0
  cat "$SESSION"/told.[ds]? | cut -f 3 >"$SESSION/entered"
  edits=$(wc -l <"$SESSION/entered")
  query "DROP TABLE IF EXISTS public.entered; CREATE TABLE public.entered (value text)"
  psql -X -q -c "\\copy public.entered FROM '$SESSION/entered'"
  query "SELECT e.value FROM public.entered AS e EXCEPT
         (SELECT v.value FROM crm_bridge.history AS h CROSS JOIN LATERAL jsonb_each_text(h.old) AS v WHERE h.module IN ('crm_task', 'projects_task') AND v.value IS NOT NULL
          UNION ALL SELECT unnest(ARRAY[c.left_value #>> '{}', c.right_value #>> '{}']) FROM crm_bridge.conflict AS c
          UNION ALL SELECT unnest(ARRAY[t.subject, t.description]) FROM crm_bridge.crm_task AS t UNION ALL SELECT unnest(ARRAY[t.name, t.description]) FROM crm_bridge.projects_task AS t)" >"$SESSION/nowhere"
  demand "nothing that was written in the database is nowhere ($(grep '^d' "$SESSION/nowhere" | head -n 3 | tr '\n' ','))" test "$(grep -c '^d' "$SESSION/nowhere")" = 0
  read -r lost by_hand unseen_crm unseen_projects longest idle written < <(effects | judge_unseen)
  demand "what a person entered in a service and nobody replaced there is here ($lost are not)" test "$lost" = 0
  demand "nothing that stood in a service for a minute is unread ($longest s)" test "$longest" -lt 60
  # A webhook that is lost because its worker is killed between the look and the write takes its value with it: neither service can exclude that.
  demand "what a write of ours replaced is in conflict, but for the moments of a kill ($((unseen_crm + unseen_projects)) are not)" test "$((unseen_crm + unseen_projects))" -le "$kills"
  conflicts=$(scalar "SELECT count(*) FROM crm_bridge.conflict AS c JOIN crm_bridge.link AS l ON c.record_id IN (l.left_id, l.right_id) AND l.pairing = 'task_task'")
  # What is entered here goes to two services, what is entered there to one; one of two that clash goes back.
  here=$(grep -c '^d' "$SESSION/entered")
  demand "the bridge wrote $written values, for $here edits here, $((edits - here)) there and $conflicts conflicts" test "$written" -le "$((here * 2 + edits - here + conflicts))"
  demand "the descriptions of twins are equal" test "$(scalar "SELECT count(*) FROM crm_bridge.link AS l JOIN crm_bridge.crm_task AS c ON c.id = l.left_id JOIN crm_bridge.projects_task AS p ON p.id = l.right_id
                WHERE l.pairing = 'task_task' AND l.state = 'active' AND c.description IS DISTINCT FROM p.description AND c.subject ~ '^[ds][0-9] '")" = 0
  single=$(cat "$SESSION"/errors.d[123567] | grep -c '^ERROR' || true)
  others=$(cat "$SESSION"/errors.d[48] | grep -c '^ERROR' || true)
  demand "no single statement failed ($(cat "$SESSION"/errors.d[123567] | sort | uniq -c | head -n 3 | tr '\n' ','))" test "$single" = 0
  demand "others failed with 40P01 or 40001 only" test "$(cat "$SESSION"/errors.d[48] | grep '^ERROR' | grep -cvE '40P01|40001' || true)" = 0
  conclude T44 "edits=$edits" "seconds=$seconds" "kills=$kills" "written=$written" "conflicts=$conflicts" "single_failed=$single" "others_failed=$others" "by_hand=$by_hand" "unseen_crm=$unseen_crm" "unseen_projects=$unseen_projects" "longest_unseen_s=$longest" "idle=$idle"
}

read_everything_again() {
  local module
  for module in crm_task projects_task; do
    query "CALL crm_bridge.wait_for_command(crm_bridge.resync('$module'), '120 seconds')" >/dev/null
  done
}
