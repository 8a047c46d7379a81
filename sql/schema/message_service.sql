-- The mails about the integration as a whole, and what is shown where it stands still.

INSERT INTO crm_bridge.message_text (kind, part, locale, template) VALUES
('clients_matched', 'name', 'en', 'Clients matched with accounts'),
('clients_matched', 'subject', 'en', 'Clients matched with accounts: {matched:number} linked, {unmatched:number} not linked'),
('clients_matched', 'body', 'en', 'The matching of clients in Zoho Projects with accounts in Zoho CRM has ended.

Portal: {portal}
Started by: {by}
Linked: {matched:number}
Not linked: {unmatched:number}
Similar names proposed: {proposed:number}

Why records were not linked:
{reasons:reasons}

The attached table names every record with its result and reason. Similar names are never linked automatically: look at the proposals in the view client_match_report and link the right ones with link_client(), or give the records the same name on both sides and run the matching again.'),
('clients_matched', 'name', 'de', 'Kunden mit Unternehmen abgeglichen'),
('clients_matched', 'subject', 'de', 'Kunden mit Unternehmen abgeglichen: {matched:number} verknüpft, {unmatched:number} nicht verknüpft'),
('clients_matched', 'body', 'de', 'Der Abgleich der Kunden in Zoho Projects mit den Unternehmen in Zoho CRM ist abgeschlossen.

Portal: {portal}
Gestartet von: {by}
Verknüpft: {matched:number}
Nicht verknüpft: {unmatched:number}
Vorgeschlagene ähnliche Namen: {proposed:number}

Warum Datensätze nicht verknüpft wurden:
{reasons:reasons}

Die angehängte Tabelle nennt jeden Datensatz mit Ergebnis und Grund. Ähnliche Namen werden nie automatisch verknüpft: Prüfen Sie die Vorschläge in der Sicht client_match_report und verknüpfen Sie die richtigen mit link_client(), oder geben Sie den Datensätzen auf beiden Seiten denselben Namen und starten Sie den Abgleich erneut.'),
('clients_matched', 'name', 'fr', 'Clients rapprochés des comptes'),
('clients_matched', 'subject', 'fr', 'Clients rapprochés des comptes : {matched:number} liés, {unmatched:number} non liés'),
('clients_matched', 'body', 'fr', 'Le rapprochement des clients de Zoho Projects avec les comptes de Zoho CRM est terminé.

Portail : {portal}
Lancé par : {by}
Liés : {matched:number}
Non liés : {unmatched:number}
Noms similaires proposés : {proposed:number}

Pourquoi des enregistrements n’ont pas été liés :
{reasons:reasons}

Le tableau joint indique le résultat et le motif pour chaque enregistrement. Les noms similaires ne sont jamais liés automatiquement : examinez les propositions dans la vue client_match_report et liez les bonnes avec link_client(), ou donnez aux enregistrements le même nom des deux côtés et relancez le rapprochement.'),
('clients_matched', 'name', 'ja', 'クライアントと取引先の照合'),
('clients_matched', 'subject', 'ja', 'クライアントと取引先の照合：リンク済み{matched:number}件、未リンク{unmatched:number}件'),
('clients_matched', 'body', 'ja', 'Zoho ProjectsのクライアントとZoho CRMの取引先の照合が完了しました。

ポータル：{portal}
実行者：{by}
リンク済み：{matched:number}件
未リンク：{unmatched:number}件
類似名の候補：{proposed:number}件

リンクされなかった理由：
{reasons:reasons}

添付の表に、すべてのレコードの結果と理由を記載しています。類似した名前が自動的にリンクされることはありません。ビューclient_match_reportで候補を確認し、正しいものをlink_client()でリンクするか、両方のレコードを同じ名前にしてからもう一度照合を実行してください。'),
('clients_matched', 'name', 'zh', '客户匹配结果'),
('clients_matched', 'subject', 'zh', '客户匹配结果：已关联 {matched:number} 个，未关联 {unmatched:number} 个'),
('clients_matched', 'body', 'zh', 'Zoho Projects 客户与 Zoho CRM 客户的匹配已完成。

门户：{portal}
发起人：{by}
已关联：{matched:number}
未关联：{unmatched:number}
相似名称建议：{proposed:number}

未关联的原因：
{reasons:reasons}

附件表格列出了每条记录的结果和原因。名称相似的记录不会自动关联：请在视图 client_match_report 中查看建议，并使用 link_client() 关联正确的记录；或者将两边的记录改为相同名称后重新匹配。'),

('key_stale', 'name', 'en', 'Integration stopped: ZSC key no longer valid'),
('key_stale', 'subject', 'en', 'Zoho Projects integration stopped: the ZSC key is no longer valid'),
('key_stale', 'body', 'en', 'The integration of Zoho CRM with Zoho Projects is stopped, because the ZSC key is no longer valid.

Stopped since: {since:instant}
E-mail address of the key: {email}
Reason: {reason}

Until the key is renewed nothing is sent or received; changes wait, and none is lost. The owner of this address, or another administrator of the portal, generates a new key in Zoho Projects; an administrator then stores it with crm-bridge seal. Work resumes by itself, without a new set-up.'),
('key_stale', 'related_list', 'en', 'The integration with Zoho Projects has been stopped since {since:instant}, because its ZSC key is no longer valid. It can be renewed by {email} or another administrator.'),
('key_stale', 'name', 'de', 'Integration angehalten: ZSC-Schlüssel ungültig'),
('key_stale', 'subject', 'de', 'Zoho-Projects-Integration angehalten: Der ZSC-Schlüssel ist nicht mehr gültig'),
('key_stale', 'body', 'de', 'Die Integration von Zoho CRM mit Zoho Projects ist angehalten, weil der ZSC-Schlüssel nicht mehr gültig ist.

Angehalten seit: {since:instant}
E-Mail-Adresse des Schlüssels: {email}
Grund: {reason}

Bis der Schlüssel erneuert ist, wird nichts gesendet oder empfangen; Änderungen warten, keine geht verloren. Der Inhaber dieser Adresse oder ein anderer Administrator des Portals erzeugt in Zoho Projects einen neuen Schlüssel; ein Administrator hinterlegt ihn dann mit crm-bridge seal. Danach geht die Arbeit ohne neue Einrichtung von selbst weiter.'),
('key_stale', 'related_list', 'de', 'Die Integration mit Zoho Projects ist seit {since:instant} angehalten, weil ihr ZSC-Schlüssel nicht mehr gültig ist. Erneuern kann ihn {email} oder ein anderer Administrator.'),
('key_stale', 'name', 'fr', 'Intégration arrêtée : clé ZSC non valide'),
('key_stale', 'subject', 'fr', 'Intégration Zoho Projects arrêtée : la clé ZSC n’est plus valide'),
('key_stale', 'body', 'fr', 'L’intégration de Zoho CRM avec Zoho Projects est arrêtée, car la clé ZSC n’est plus valide.

Arrêtée depuis : {since:instant}
Adresse e-mail de la clé : {email}
Motif : {reason}

Tant que la clé n’est pas renouvelée, rien n’est envoyé ni reçu ; les modifications attendent et aucune n’est perdue. Le titulaire de cette adresse, ou un autre administrateur du portail, génère une nouvelle clé dans Zoho Projects ; un administrateur l’enregistre ensuite avec crm-bridge seal. Le travail reprend de lui-même, sans nouvelle configuration.'),
('key_stale', 'related_list', 'fr', 'L’intégration avec Zoho Projects est arrêtée depuis le {since:instant}, car sa clé ZSC n’est plus valide. Elle peut être renouvelée par {email} ou par un autre administrateur.'),
('key_stale', 'name', 'ja', '連携の停止：ZSCキーが無効です'),
('key_stale', 'subject', 'ja', 'Zoho Projects連携が停止しました：ZSCキーが無効になっています'),
('key_stale', 'body', 'ja', 'ZSCキーが無効になったため、Zoho CRMとZoho Projectsの連携が停止しています。

停止日時：{since:instant}
キーのメールアドレス：{email}
理由：{reason}

キーが更新されるまで、データの送受信は行われません。変更は保留され、失われることはありません。上記メールアドレスの所有者またはポータルの別の管理者がZoho Projectsで新しいキーを発行し、管理者がcrm-bridge sealで登録してください。再設定をしなくても、処理は自動的に再開されます。'),
('key_stale', 'related_list', 'ja', 'ZSCキーが無効になったため、Zoho Projectsとの連携は{since:instant}から停止しています。キーは{email}または別の管理者が更新できます。'),
('key_stale', 'name', 'zh', '集成已停止：ZSC 密钥失效'),
('key_stale', 'subject', 'zh', 'Zoho Projects 集成已停止：ZSC 密钥已失效'),
('key_stale', 'body', 'zh', '由于 ZSC 密钥已失效，Zoho CRM 与 Zoho Projects 的集成已停止。

停止时间：{since:instant}
密钥对应的电子邮件地址：{email}
原因：{reason}

在更新密钥之前，不会发送或接收任何数据；更改将等待处理，不会丢失。请该地址的所有者或门户的其他管理员在 Zoho Projects 中生成新密钥，再由管理员通过 crm-bridge seal 保存。此后将自动恢复工作，无需重新设置。'),
('key_stale', 'related_list', 'zh', '由于 ZSC 密钥已失效，与 Zoho Projects 的集成自 {since:instant} 起已停止。{email} 或其他管理员可以更新密钥。'),

('more_mails', 'name', 'en', 'Further messages'),
('more_mails', 'subject', 'en', '{count:number} further messages in one'),
('more_mails', 'body', 'en', 'Many messages to you came together within an hour. So that they do not flood your mailbox, these were not sent one by one:

{kinds:kinds}

An administrator or analyst finds every one of them in the view notifications.'),
('more_mails', 'name', 'de', 'Weitere Nachrichten'),
('more_mails', 'subject', 'de', '{count:number} weitere Nachrichten in einer'),
('more_mails', 'body', 'de', 'Innerhalb einer Stunde sind viele Nachrichten an Sie zusammengekommen. Damit Ihr Postfach nicht überläuft, wurden die folgenden nicht einzeln versandt:

{kinds:kinds}

Administratoren und Analysten finden jede einzelne in der Sicht notifications.'),
('more_mails', 'name', 'fr', 'Autres messages'),
('more_mails', 'subject', 'fr', '{count:number} autres messages en un seul'),
('more_mails', 'body', 'fr', 'De nombreux messages vous étaient destinés en l’espace d’une heure. Pour ne pas encombrer votre boîte, les messages suivants n’ont pas été envoyés un par un :

{kinds:kinds}

Un administrateur ou un analyste les retrouve tous dans la vue notifications.'),
('more_mails', 'name', 'ja', 'その他の通知'),
('more_mails', 'subject', 'ja', 'その他の通知{count:number}件をまとめてお知らせします'),
('more_mails', 'body', 'ja', '1時間以内に多数の通知が発生したため、以下の通知は個別に送信せず、まとめてお知らせします。

{kinds:kinds}

各通知の内容は、管理者または分析担当者がビューnotificationsで確認できます。'),
('more_mails', 'name', 'zh', '其他通知'),
('more_mails', 'subject', 'zh', '另有 {count:number} 条通知合并发送'),
('more_mails', 'body', 'zh', '一小时内有大量通知发送给您。为避免邮件过多，以下通知未逐条发送：

{kinds:kinds}

管理员或分析人员可以在视图 notifications 中查看每一条通知。');
