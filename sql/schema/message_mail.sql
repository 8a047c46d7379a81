-- The mails, one kind after the other, in English, German, French, Japanese, Chinese.  Each says what happened, names what it
-- happened to, the old and the new value, and what to do.

INSERT INTO crm_bridge.message_text (kind, part, locale, template) VALUES
('due_date_refused', 'name', 'en', 'Due date not changed'),
('due_date_refused', 'subject', 'en', 'Due date not changed: {task}'),
('due_date_refused', 'body', 'en', 'Your latest change of a due date failed, because the new date is beyond the schedule of the related project.

Task: {task}
Project: {project}
Due date so far: {old:date}
Due date you entered: {new:date}
Latest date the project allows: {limit:date}

The project is strict: its tasks must stay within its schedule. Nothing was changed in Zoho Projects. Please choose a date up to {limit:date}, or ask the project’s owner to extend the project.'),
('due_date_refused', 'name', 'de', 'Fälligkeitsdatum nicht geändert'),
('due_date_refused', 'subject', 'de', 'Fälligkeitsdatum nicht geändert: {task}'),
('due_date_refused', 'body', 'de', 'Ihre letzte Änderung eines Fälligkeitsdatums ist fehlgeschlagen, weil das neue Datum außerhalb des Zeitplans des zugehörigen Projekts liegt.

Aufgabe: {task}
Projekt: {project}
Bisheriges Fälligkeitsdatum: {old:date}
Von Ihnen eingegeben: {new:date}
Spätestes mögliches Datum: {limit:date}

Das Projekt ist als strikt gekennzeichnet: Seine Aufgaben müssen innerhalb seines Zeitplans liegen. In Zoho Projects wurde nichts geändert. Bitte wählen Sie ein Datum bis zum {limit:date}, oder bitten Sie die für das Projekt verantwortliche Person, das Projekt zu verlängern.'),
('due_date_refused', 'name', 'fr', 'Date d’échéance non modifiée'),
('due_date_refused', 'subject', 'fr', 'Date d’échéance non modifiée : {task}'),
('due_date_refused', 'body', 'fr', 'Votre dernière modification d’une date d’échéance a échoué, car la nouvelle date dépasse le calendrier du projet associé.

Tâche : {task}
Projet : {project}
Date d’échéance actuelle : {old:date}
Date que vous avez saisie : {new:date}
Dernière date possible : {limit:date}

Le projet est strict : ses tâches doivent rester dans les limites de son calendrier. Rien n’a été modifié dans Zoho Projects. Veuillez choisir une date au plus tard le {limit:date}, ou demander au responsable du projet de prolonger celui-ci.'),
('due_date_refused', 'name', 'ja', '期限日は変更されませんでした'),
('due_date_refused', 'subject', 'ja', '期限日は変更されませんでした：{task}'),
('due_date_refused', 'body', 'ja', '新しい日付が関連プロジェクトの計画期間を超えているため、期限日の更新に失敗しました。

タスク：{task}
プロジェクト：{project}
現在の期限日：{old:date}
入力された期限日：{new:date}
設定できる最終日：{limit:date}

このプロジェクトは期間が厳密に管理されており、タスクはプロジェクトの期間内に収める必要があります。Zoho Projectsのデータは変更されていません。{limit:date}までの日付を指定するか、プロジェクトの責任者に期間の延長をご依頼ください。'),
('due_date_refused', 'name', 'zh', '截止日期未更改'),
('due_date_refused', 'subject', 'zh', '截止日期未更改：{task}'),
('due_date_refused', 'body', 'zh', '由于新日期超出相关项目的计划，您最近一次截止日期更新失败。

任务：{task}
项目：{project}
当前截止日期：{old:date}
您输入的日期：{new:date}
项目允许的最晚日期：{limit:date}

该项目为严格项目，任务必须在项目计划的时间范围内。Zoho Projects 中的数据未作任何更改。请选择不晚于 {limit:date} 的日期，或请项目负责人延长项目。'),

('status_refused', 'name', 'en', 'Status not changed'),
('status_refused', 'subject', 'en', 'Status not changed: {task}'),
('status_refused', 'body', 'en', 'Your latest change of a status failed, because the parent task is closed in Zoho Projects.

Task: {task}
Project: {project}
Parent task: {parent}
Status so far: {old}
Status you chose: {new}

Nothing was changed in Zoho Projects. Please reopen the parent task first; then the status can be changed.'),
('status_refused', 'name', 'de', 'Status nicht geändert'),
('status_refused', 'subject', 'de', 'Status nicht geändert: {task}'),
('status_refused', 'body', 'de', 'Ihre letzte Statusänderung ist fehlgeschlagen, weil die übergeordnete Aufgabe in Zoho Projects geschlossen ist.

Aufgabe: {task}
Projekt: {project}
Übergeordnete Aufgabe: {parent}
Bisheriger Status: {old}
Von Ihnen gewählt: {new}

In Zoho Projects wurde nichts geändert. Bitte öffnen Sie zuerst die übergeordnete Aufgabe wieder; danach lässt sich der Status ändern.'),
('status_refused', 'name', 'fr', 'Statut non modifié'),
('status_refused', 'subject', 'fr', 'Statut non modifié : {task}'),
('status_refused', 'body', 'fr', 'Votre dernière modification d’un statut a échoué, car la tâche parente est fermée dans Zoho Projects.

Tâche : {task}
Projet : {project}
Tâche parente : {parent}
Statut actuel : {old}
Statut que vous avez choisi : {new}

Rien n’a été modifié dans Zoho Projects. Veuillez d’abord rouvrir la tâche parente ; le statut pourra ensuite être modifié.'),
('status_refused', 'name', 'ja', 'ステータスは変更されませんでした'),
('status_refused', 'subject', 'ja', 'ステータスは変更されませんでした：{task}'),
('status_refused', 'body', 'ja', 'Zoho Projectsで親タスクが完了しているため、ステータスの更新に失敗しました。

タスク：{task}
プロジェクト：{project}
親タスク：{parent}
現在のステータス：{old}
選択されたステータス：{new}

Zoho Projectsのデータは変更されていません。先に親タスクを再開してから、ステータスを変更してください。'),
('status_refused', 'name', 'zh', '状态未更改'),
('status_refused', 'subject', 'zh', '状态未更改：{task}'),
('status_refused', 'body', 'zh', '由于父任务在 Zoho Projects 中已关闭，您最近一次状态更新失败。

任务：{task}
项目：{project}
父任务：{parent}
当前状态：{old}
您选择的状态：{new}

Zoho Projects 中的数据未作任何更改。请先重新打开父任务，然后再更改状态。'),

('conflict_lost', 'name', 'en', 'Change overridden'),
('conflict_lost', 'subject', 'en', 'Your change was overridden: {record}'),
('conflict_lost', 'body', 'en', 'You and someone else changed the same field at about the same time. The other value is in force now.

Record: {record} ({module:module})
Field: {field}
Your value: {yours:value}
Value in force: {other:value}
Changed by: {by}

Your value is not lost: it is kept in the view open_conflicts. Please enter it again if it should count; an administrator can also put it back with resolve_conflict().'),
('conflict_lost', 'name', 'de', 'Änderung überschrieben'),
('conflict_lost', 'subject', 'de', 'Ihre Änderung wurde überschrieben: {record}'),
('conflict_lost', 'body', 'de', 'Sie und eine andere Person haben etwa zur selben Zeit dasselbe Feld geändert. Jetzt gilt der andere Wert.

Datensatz: {record} ({module:module})
Feld: {field}
Ihr Wert: {yours:value}
Geltender Wert: {other:value}
Geändert von: {by}

Ihr Wert ist nicht verloren: Er steht in der Sicht open_conflicts. Soll er gelten, tragen Sie ihn bitte erneut ein; auch ein Administrator kann ihn mit resolve_conflict() zurückholen.'),
('conflict_lost', 'name', 'fr', 'Modification remplacée'),
('conflict_lost', 'subject', 'fr', 'Votre modification a été remplacée : {record}'),
('conflict_lost', 'body', 'fr', 'Vous et une autre personne avez modifié le même champ à peu près en même temps. C’est désormais l’autre valeur qui s’applique.

Enregistrement : {record} ({module:module})
Champ : {field}
Votre valeur : {yours:value}
Valeur en vigueur : {other:value}
Modifiée par : {by}

Votre valeur n’est pas perdue : elle est conservée dans la vue open_conflicts. Si elle doit s’appliquer, veuillez la saisir à nouveau ; un administrateur peut aussi la rétablir avec resolve_conflict().'),
('conflict_lost', 'name', 'ja', '変更は上書きされました'),
('conflict_lost', 'subject', 'ja', '変更は上書きされました：{record}'),
('conflict_lost', 'body', 'ja', 'ほぼ同時に別の方が同じ項目を変更したため、現在はもう一方の値が有効になっています。

レコード：{record}（{module:module}）
項目：{field}
入力された値：{yours:value}
有効な値：{other:value}
変更者：{by}

入力された値は失われておらず、ビューopen_conflictsに保存されています。その値を有効にするには、もう一度入力してください。管理者がresolve_conflict()で元に戻すこともできます。'),
('conflict_lost', 'name', 'zh', '更改被覆盖'),
('conflict_lost', 'subject', 'zh', '您的更改已被覆盖：{record}'),
('conflict_lost', 'body', 'zh', '您与他人几乎同时更改了同一字段，目前生效的是对方的值。

记录：{record}（{module:module}）
字段：{field}
您的值：{yours:value}
生效的值：{other:value}
更改人：{by}

您的值并未丢失，已保存在视图 open_conflicts 中。如需使其生效，请重新输入；管理员也可以使用 resolve_conflict() 恢复该值。'),

('trial_ending', 'name', 'en', 'Trial ends soon'),
('trial_ending', 'subject', 'en', 'The trial of the Zoho Projects integration ends on {ends_at:date}'),
('trial_ending', 'body', 'en', 'The trial of the integration of Zoho CRM with Zoho Projects ends soon.

End of the trial: {ends_at:instant}
Days left: {days:number}

After that nothing is sent or received. No data is lost: with a paid edition of Zoho CRM the integration resumes where it stopped. Please change the edition in time if you want to go on.'),
('trial_ending', 'name', 'de', 'Testphase endet bald'),
('trial_ending', 'subject', 'de', 'Die Testphase der Zoho-Projects-Integration endet am {ends_at:date}'),
('trial_ending', 'body', 'de', 'Die Testphase der Integration von Zoho CRM mit Zoho Projects endet bald.

Ende der Testphase: {ends_at:instant}
Verbleibende Tage: {days:number}

Danach wird nichts mehr gesendet oder empfangen. Es gehen keine Daten verloren: Mit einer kostenpflichtigen Edition von Zoho CRM läuft die Integration dort weiter, wo sie angehalten hat. Bitte wechseln Sie rechtzeitig die Edition, wenn Sie weiterarbeiten möchten.'),
('trial_ending', 'name', 'fr', 'Fin prochaine de la période d’essai'),
('trial_ending', 'subject', 'fr', 'La période d’essai de l’intégration Zoho Projects se termine le {ends_at:date}'),
('trial_ending', 'body', 'fr', 'La période d’essai de l’intégration de Zoho CRM avec Zoho Projects se termine bientôt.

Fin de la période d’essai : {ends_at:instant}
Jours restants : {days:number}

Ensuite, plus rien ne sera envoyé ni reçu. Aucune donnée n’est perdue : avec une édition payante de Zoho CRM, l’intégration reprend là où elle s’est arrêtée. Pour continuer, veuillez changer d’édition à temps.'),
('trial_ending', 'name', 'ja', '試用期間の終了が近づいています'),
('trial_ending', 'subject', 'ja', 'Zoho Projects連携の試用期間は{ends_at:date}に終了します'),
('trial_ending', 'body', 'ja', 'Zoho CRMとZoho Projectsの連携の試用期間がまもなく終了します。

試用期間の終了：{ends_at:instant}
残り日数：{days:number}

終了後は、データの送受信が停止します。データは失われません。Zoho CRMの有料エディションに変更すると、停止した時点から連携が再開されます。引き続きご利用になる場合は、終了前にエディションを変更してください。'),
('trial_ending', 'name', 'zh', '试用期即将结束'),
('trial_ending', 'subject', 'zh', 'Zoho Projects 集成的试用期将于 {ends_at:date} 结束'),
('trial_ending', 'body', 'zh', 'Zoho CRM 与 Zoho Projects 集成的试用期即将结束。

试用期结束时间：{ends_at:instant}
剩余天数：{days:number}

此后将不再发送或接收数据。数据不会丢失：改用 Zoho CRM 付费版本后，集成将从停止处继续。如需继续使用，请及时更换版本。'),

('users_provisioned', 'name', 'en', 'Users added to Projects'),
('users_provisioned', 'subject', 'en', 'Users added to Zoho Projects: profile {profile}'),
('users_provisioned', 'body', 'en', 'The permissions of a profile were saved, and its users were added to Zoho Projects as “Employee”. Users who were there already keep their role.

Profile: {profile}
Users added:
{users:list}

Not added:
{refused:people}

If someone should not have access, change the permissions of the profile, or the user’s role in Zoho Projects.'),
('users_provisioned', 'name', 'de', 'Benutzer zu Projects hinzugefügt'),
('users_provisioned', 'subject', 'de', 'Benutzer zu Zoho Projects hinzugefügt: Profil {profile}'),
('users_provisioned', 'body', 'de', 'Die Berechtigungen eines Profils wurden gespeichert und seine Benutzer als „Employee“ zu Zoho Projects hinzugefügt. Wer dort schon Benutzer war, behält seine Rolle.

Profil: {profile}
Hinzugefügte Benutzer:
{users:list}

Nicht hinzugefügt:
{refused:people}

Soll jemand keinen Zugang haben, ändern Sie bitte die Berechtigungen des Profils oder die Rolle des Benutzers in Zoho Projects.'),
('users_provisioned', 'name', 'fr', 'Utilisateurs ajoutés à Projects'),
('users_provisioned', 'subject', 'fr', 'Utilisateurs ajoutés à Zoho Projects : profil {profile}'),
('users_provisioned', 'body', 'fr', 'Les autorisations d’un profil ont été enregistrées et ses utilisateurs ont été ajoutés à Zoho Projects avec le rôle « Employee ». Les utilisateurs déjà présents conservent leur rôle.

Profil : {profile}
Utilisateurs ajoutés :
{users:list}

Non ajoutés :
{refused:people}

Si une personne ne doit pas avoir accès, veuillez modifier les autorisations du profil ou le rôle de l’utilisateur dans Zoho Projects.'),
('users_provisioned', 'name', 'ja', 'Projectsへのユーザー追加'),
('users_provisioned', 'subject', 'ja', 'Zoho Projectsにユーザーが追加されました：プロファイル「{profile}」'),
('users_provisioned', 'body', 'ja', 'プロファイルの権限が保存され、そのユーザーが「Employee」としてZoho Projectsに追加されました。すでに登録されているユーザーの役割は変わりません。

プロファイル：{profile}
追加されたユーザー：
{users:list}

追加されなかったユーザー：
{refused:people}

アクセスを許可しないユーザーがいる場合は、プロファイルの権限、またはZoho Projectsでの役割を変更してください。'),
('users_provisioned', 'name', 'zh', '用户已添加到 Projects'),
('users_provisioned', 'subject', 'zh', '用户已添加到 Zoho Projects：配置文件“{profile}”'),
('users_provisioned', 'body', 'zh', '配置文件的权限已保存，其用户已以“Employee”角色添加到 Zoho Projects。已存在的用户角色保持不变。

配置文件：{profile}
添加的用户：
{users:list}

未添加的用户：
{refused:people}

如有不应访问的人员，请更改配置文件的权限，或在 Zoho Projects 中更改该用户的角色。');
