-- The mails about an update that the other side does not take: put back (update_refused), or left as it is (update_kept).

INSERT INTO crm_bridge.message_text (kind, part, locale, template) VALUES
('update_refused', 'name', 'en', 'Change refused'),
('update_refused', 'subject', 'en', 'Your change was refused: {record}'),
('update_refused', 'body', 'en', '{service} refused your latest change. The record was put back to the value that both sides agree on.

Record: {record} ({module:module})
Field: {field}
Value so far: {old:value}
Value you entered: {new:value}
Reason, in the words of {service}: {words}
Other fields of the same update that were put back:
{others:list}

Your values are not lost: they are kept in the view refusals. Please enter a value that {service} accepts.'),
('update_refused', 'name', 'de', 'Änderung abgelehnt'),
('update_refused', 'subject', 'de', 'Ihre Änderung wurde abgelehnt: {record}'),
('update_refused', 'body', 'de', '{service} hat Ihre letzte Änderung abgelehnt. Der Datensatz wurde auf den Wert zurückgesetzt, in dem beide Seiten übereinstimmen.

Datensatz: {record} ({module:module})
Feld: {field}
Bisheriger Wert: {old:value}
Von Ihnen eingegeben: {new:value}
Begründung, in den Worten von {service}: {words}
Weitere Felder derselben Änderung, die zurückgesetzt wurden:
{others:list}

Ihre Werte sind nicht verloren: Sie stehen in der Sicht refusals. Bitte geben Sie einen Wert ein, den {service} annimmt.'),
('update_refused', 'name', 'fr', 'Modification refusée'),
('update_refused', 'subject', 'fr', 'Votre modification a été refusée : {record}'),
('update_refused', 'body', 'fr', '{service} a refusé votre dernière modification. L’enregistrement a été rétabli à la valeur sur laquelle les deux côtés s’accordent.

Enregistrement : {record} ({module:module})
Champ : {field}
Valeur actuelle : {old:value}
Valeur que vous avez saisie : {new:value}
Motif, selon {service} : {words}
Autres champs de la même modification qui ont été rétablis :
{others:list}

Vos valeurs ne sont pas perdues : elles sont conservées dans la vue refusals. Veuillez saisir une valeur acceptée par {service}.'),
('update_refused', 'name', 'ja', '変更は拒否されました'),
('update_refused', 'subject', 'ja', '変更は拒否されました：{record}'),
('update_refused', 'body', 'ja', '直近の変更は{service}によって拒否されました。レコードは、双方で一致している値に戻されました。

レコード：{record}（{module:module}）
項目：{field}
現在の値：{old:value}
入力された値：{new:value}
{service}による理由：{words}
同じ更新に含まれ、元に戻された他の項目：
{others:list}

入力された値は失われておらず、ビューrefusalsに保存されています。{service}が受け付ける値を入力してください。'),
('update_refused', 'name', 'zh', '更改被拒绝'),
('update_refused', 'subject', 'zh', '您的更改被拒绝：{record}'),
('update_refused', 'body', 'zh', '{service} 拒绝了您最近的更改，记录已恢复为双方一致的值。

记录：{record}（{module:module}）
字段：{field}
当前值：{old:value}
您输入的值：{new:value}
{service} 给出的原因：{words}
同一更新中一并恢复的其他字段：
{others:list}

您的值并未丢失，已保存在视图 refusals 中。请输入 {service} 可接受的值。'),

('update_kept', 'name', 'en', 'Change not carried over'),
('update_kept', 'subject', 'en', 'Your change was not carried over: {record}'),
('update_kept', 'body', 'en', 'Your latest change cannot be carried over to {service}. The value stays where you entered it, and {service} keeps the value that it has.

Record: {record} ({module:module})
Field: {field}
Value before: {old:value}
Value you entered: {new:value}
Reason: {words}
Other fields of the same update that were not carried over:
{others:list}

The two sides differ in this field until someone changes it. Please enter a value that {service} accepts.'),
('update_kept', 'name', 'de', 'Änderung nicht übernommen'),
('update_kept', 'subject', 'de', 'Ihre Änderung wurde nicht übernommen: {record}'),
('update_kept', 'body', 'de', 'Ihre letzte Änderung kann nicht nach {service} übernommen werden. Der Wert bleibt dort, wo Sie ihn eingegeben haben, und {service} behält seinen Wert.

Datensatz: {record} ({module:module})
Feld: {field}
Vorheriger Wert: {old:value}
Von Ihnen eingegeben: {new:value}
Grund: {words}
Weitere Felder derselben Änderung, die nicht übernommen wurden:
{others:list}

Beide Seiten unterscheiden sich in diesem Feld, bis jemand es ändert. Bitte geben Sie einen Wert ein, den {service} annimmt.'),
('update_kept', 'name', 'fr', 'Modification non reprise'),
('update_kept', 'subject', 'fr', 'Votre modification n’a pas été reprise : {record}'),
('update_kept', 'body', 'fr', 'Votre dernière modification ne peut pas être reprise dans {service}. La valeur reste là où vous l’avez saisie, et {service} conserve la sienne.

Enregistrement : {record} ({module:module})
Champ : {field}
Valeur précédente : {old:value}
Valeur que vous avez saisie : {new:value}
Motif : {words}
Autres champs de la même modification qui n’ont pas été repris :
{others:list}

Les deux côtés diffèrent sur ce champ jusqu’à ce que quelqu’un le modifie. Veuillez saisir une valeur acceptée par {service}.'),
('update_kept', 'name', 'ja', '変更は反映されませんでした'),
('update_kept', 'subject', 'ja', '変更は反映されませんでした：{record}'),
('update_kept', 'body', 'ja', '直近の変更は{service}に反映できません。入力された値は入力元に残り、{service}側の値はそのままです。

レコード：{record}（{module:module}）
項目：{field}
変更前の値：{old:value}
入力された値：{new:value}
理由：{words}
同じ更新に含まれ、反映されなかった他の項目：
{others:list}

この項目は、どなたかが変更するまで双方で異なります。{service}が受け付ける値を入力してください。'),
('update_kept', 'name', 'zh', '更改未同步'),
('update_kept', 'subject', 'zh', '您的更改未同步：{record}'),
('update_kept', 'body', 'zh', '您最近的更改无法同步到 {service}。该值保留在您输入的位置，{service} 保留其原有的值。

记录：{record}（{module:module}）
字段：{field}
更改前的值：{old:value}
您输入的值：{new:value}
原因：{words}
同一更新中未同步的其他字段：
{others:list}

在有人修改之前，双方的这一字段保持不同。请输入 {service} 可接受的值。');
