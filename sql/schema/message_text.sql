-- What people are told, in five languages (D10): a pure catalog, the same for every organization.  A template names facts as
-- {fact} (one line of text) or {fact:form}; the forms are those of _written().  This part has the words; message_mail.sql the mails.

CREATE TABLE crm_bridge.message_text (
  kind      text NOT NULL,
  part      text NOT NULL,
  locale    text NOT NULL,
  template  text NOT NULL,
  CONSTRAINT message_text_key PRIMARY KEY (kind, part, locale),
  CONSTRAINT message_text_locale_known CHECK (locale IN ('en', 'de', 'fr', 'ja', 'zh'))
);
COMMENT ON TABLE crm_bridge.message_text IS 'texts of mails and messages in English, German, French, Japanese and Chinese';
COMMENT ON COLUMN crm_bridge.message_text.kind IS 'the kind of notification; word, reason and module for what stands in several';
COMMENT ON COLUMN crm_bridge.message_text.part IS 'of a kind: name (for lists), subject, body, related_list; else the word, the reason''s code (D12), the module';
COMMENT ON COLUMN crm_bridge.message_text.locale IS 'the language: en, de, fr, ja or zh';
COMMENT ON COLUMN crm_bridge.message_text.template IS 'the text, with {facts}';

INSERT INTO crm_bridge.message_text (kind, part, locale, template)
SELECT w.kind, w.part, l.locale, l.template
  FROM (VALUES
    ('word', 'empty', '(empty)', '(leer)', '(vide)', '（空）', '（空）'),
    ('word', 'true', 'yes', 'ja', 'oui', 'はい', '是'),
    ('word', 'false', 'no', 'nein', 'non', 'いいえ', '否'),
    ('word', 'separator', ', ', ', ', ', ', '、', '、'),
    ('word', 'count', '{what}: {count:number}', '{what}: {count:number}', '{what} : {count:number}', '{what}：{count:number}件', '{what}：{count:number}'),
    ('word', 'more', 'and {count:number} more', 'und {count:number} weitere', 'et {count:number} de plus', 'ほか{count:number}件', '另有 {count:number} 个'),
    ('word', 'because', '{who}: {why}', '{who}: {why}', '{who} : {why}', '{who}：{why}', '{who}：{why}'),
    ('word', 'no_address', 'has no e-mail address', 'hat keine E-Mail-Adresse', 'n’a pas d’adresse e-mail', 'メールアドレスがない', '没有电子邮件地址'),
    ('word', 'not_active', 'is not an active user', 'ist kein aktiver Benutzer', 'n’est pas un utilisateur actif', '有効なユーザーではない', '不是活动用户'),
    ('word', 'footer',
     'This message was sent automatically by crm_bridge for {organization}. Replies are not read.',
     'Diese Nachricht wurde von crm_bridge automatisch für {organization} versandt. Antworten werden nicht gelesen.',
     'Ce message a été envoyé automatiquement par crm_bridge pour {organization}. Les réponses ne sont pas lues.',
     'このメールは、{organization}のためにcrm_bridgeが自動送信したものです。ご返信いただいても確認できません。',
     '此邮件由 crm_bridge 代表 {organization} 自动发送，请勿回复。'),
    -- Why a record is not linked (D12).
    ('reason', 'not_requested', 'nobody asked for the link', 'Verknüpfung nicht angefordert', 'liaison non demandée', 'リンクが要求されていない', '未请求关联'),
    ('reason', 'not_owner', 'the record belongs to another owner', 'der Datensatz gehört einem anderen Besitzer', 'l’enregistrement appartient à un autre propriétaire', 'レコードの担当者が異なる', '记录属于其他所有者'),
    ('reason', 'imported', 'imported and not changed since', 'importiert und seither nicht geändert', 'importé et non modifié depuis', 'インポート後に変更されていない', '导入后未曾更改'),
    ('reason', 'over_first_sync_cap', 'beyond the limit of the first synchronization', 'über der Obergrenze der ersten Synchronisierung', 'au-delà de la limite de la première synchronisation', '初回同期の上限を超えている', '超出首次同步的上限'),
    ('reason', 'account_not_mapped', 'the account is not linked', 'das Unternehmen ist nicht verknüpft', 'le compte n’est pas lié', '取引先がリンクされていない', '客户未关联'),
    ('reason', 'flag_missing', 'the profile lacks the permission', 'dem Profil fehlt die Berechtigung', 'le profil n’a pas l’autorisation', 'プロファイルに権限がない', '配置文件缺少权限'),
    ('reason', 'edition', 'not included in the edition', 'in der Edition nicht enthalten', 'non inclus dans l’édition', 'ご利用のエディションに含まれない', '当前版本不包含此功能'),
    ('reason', 'field_read_only', 'the field is read-only', 'das Feld ist schreibgeschützt', 'le champ est en lecture seule', '項目が読み取り専用', '字段为只读'),
    ('reason', 'refused', 'refused by the other side', 'von der Gegenseite abgelehnt', 'refusé par l’autre application', '連携先に拒否された', '被对方系统拒绝'),
    ('reason', 'parked', 'refused by the service; needs attention', 'vom Dienst abgelehnt; bitte prüfen', 'refusé par le service ; à vérifier', 'サービスに拒否されたため確認が必要', '被服务拒绝，需要人工处理'),
    ('reason', 'held', 'waiting for approval', 'wartet auf Freigabe', 'en attente d’approbation', '承認待ち', '等待批准'),
    ('reason', 'pending', 'still on its way', 'noch unterwegs', 'en cours de transmission', '送信中', '仍在传送中'),
    ('reason', 'unlinked', 'the link was removed', 'die Verknüpfung wurde aufgehoben', 'la liaison a été supprimée', 'リンクが解除された', '关联已解除'),
    ('reason', 'ambiguous', 'the name exists more than once', 'der Name kommt mehrfach vor', 'le nom existe plusieurs fois', '同じ名前が複数ある', '名称重复'),
    ('reason', 'no_name', 'the record has no name', 'der Datensatz hat keinen Namen', 'l’enregistrement n’a pas de nom', '名前がない', '没有名称'),
    ('reason', 'no_account_of_that_name', 'there is no account of that name', 'kein Unternehmen dieses Namens', 'aucun compte de ce nom', '同名の取引先がない', '没有同名的客户'),
    ('reason', 'integration_inactive', 'the integration is not active', 'die Integration ist nicht aktiv', 'l’intégration n’est pas active', '連携が有効になっていない', '集成未启用'),
    -- What a record is.
    ('module', 'crm_account', 'account in the CRM', 'Unternehmen im CRM', 'compte dans le CRM', 'CRMの取引先', 'CRM 客户'),
    ('module', 'crm_contact', 'contact in the CRM', 'Kontakt im CRM', 'contact dans le CRM', 'CRMの連絡先', 'CRM 联系人'),
    ('module', 'crm_lead', 'lead in the CRM', 'Lead im CRM', 'prospect dans le CRM', 'CRMの見込み客', 'CRM 线索'),
    ('module', 'crm_deal', 'deal in the CRM', 'Abschluss im CRM', 'affaire dans le CRM', 'CRMの商談', 'CRM 商机'),
    ('module', 'crm_task', 'task in the CRM', 'Aufgabe im CRM', 'tâche dans le CRM', 'CRMのタスク', 'CRM 任务'),
    ('module', 'crm_note', 'note in the CRM', 'Notiz im CRM', 'note dans le CRM', 'CRMのメモ', 'CRM 备注'),
    ('module', 'projects_client', 'client in Projects', 'Kunde in Projects', 'client dans Projects', 'Projectsのクライアント', 'Projects 客户'),
    ('module', 'projects_client_user', 'client user in Projects', 'Kundenbenutzer in Projects', 'utilisateur client dans Projects', 'Projectsのクライアントユーザー', 'Projects 客户用户'),
    ('module', 'projects_project', 'project in Projects', 'Projekt in Projects', 'projet dans Projects', 'Projectsのプロジェクト', 'Projects 项目'),
    ('module', 'projects_task_list', 'task list in Projects', 'Aufgabenliste in Projects', 'liste de tâches dans Projects', 'Projectsのタスクリスト', 'Projects 任务列表'),
    ('module', 'projects_task', 'task in Projects', 'Aufgabe in Projects', 'tâche dans Projects', 'Projectsのタスク', 'Projects 任务'),
    ('module', 'projects_comment', 'comment in Projects', 'Kommentar in Projects', 'commentaire dans Projects', 'Projectsのコメント', 'Projects 评论')
  ) AS w (kind, part, en, de, fr, ja, zh)
 CROSS JOIN LATERAL (VALUES ('en', w.en), ('de', w.de), ('fr', w.fr), ('ja', w.ja), ('zh', w.zh)) AS l (locale, template);
