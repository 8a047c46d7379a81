// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "services/catalog.hpp"

namespace crm_bridge::worker::test {

// A few modules and fields as the database's catalog has them.
inline Catalog crm_catalog() {
  Catalog catalog;
  catalog.modules = {{"crm_user", "users", "user", false, false, false, true},
                     {"crm_account", "Accounts", "account", true, true, true, true},
                     {"crm_lead", "Leads", "lead", true, true, true, true},
                     {"crm_deal", "Deals", "deal", true, true, true, true},
                     {"crm_task", "Tasks", "task", true, true, true, true},
                     {"crm_note", "Notes", "note", true, true, true, true}};
  catalog.fields["crm_user"] = {{"crm_user", "full_name", "full_name", "text"},
                                {"crm_user", "is_confirmed", "confirm", "boolean"},
                                {"crm_user", "profile_id", "profile", "reference", "crm_profile"},
                                {"crm_user", "role", "role", "text"}};
  catalog.fields["crm_deal"] = {
      {"crm_deal", "deal_name", "Deal_Name", "text", "", true},
      {"crm_deal", "amount", "Amount", "money", "", true},
      {"crm_deal", "closing_date", "Closing_Date", "date", "", true},
      {"crm_deal", "account_id", "Account_Name", "reference", "crm_account", true},
      {"crm_deal", "owner_id", "Owner", "reference", "crm_user", true},
      {"crm_deal", "Paid", "Paid", "boolean", "", true, true}};
  catalog.fields["crm_task"] = {
      {"crm_task", "subject", "Subject", "text", "", true},
      {"crm_task", "due_date", "Due_Date", "date", "", true},
      {"crm_task", "account_id", "What_Id", "reference", "crm_account", true},
      {"crm_task", "deal_id", "What_Id", "reference", "crm_deal", true},
      {"crm_task", "lead_id", "What_Id", "reference", "crm_lead", true},
      {"crm_task", "closed_at", "Closed_Time", "instant"}};
  catalog.fields["crm_note"] = {
      {"crm_note", "title", "Note_Title", "text", "", true},
      {"crm_note", "content", "Note_Content", "text", "", true},
      {"crm_note", "account_id", "Parent_Id", "reference", "crm_account", true},
      {"crm_note", "deal_id", "Parent_Id", "reference", "crm_deal", true},
      {"crm_note", "task_id", "Parent_Id", "reference", "crm_task", true},
      {"crm_note", "author_id", "Created_By", "reference", "crm_user"}};
  return catalog;
}

inline Catalog bigin_catalog() {
  Catalog catalog;
  catalog.modules = {{"bigin_user", "users", "user", false, false, false, true},
                     {"bigin_company", "Accounts", "company", true, true, true, true},
                     {"bigin_contact", "Contacts", "contact", true, true, true, true}};
  catalog.fields["bigin_company"] = {
      {"bigin_company", "account_name", "Account_Name", "text", "", true},
      {"bigin_company", "phone", "Phone", "text", "", true}};
  catalog.fields["bigin_contact"] = {
      {"bigin_contact", "last_name", "Last_Name", "text", "", true},
      {"bigin_contact", "account_id", "Account_Name", "reference", "bigin_company", true}};
  return catalog;
}

inline Catalog office_catalog() {
  Catalog catalog;
  catalog.modules = {{"office_user", "users", "user", false, false, false, true}};
  catalog.fields["office_user"] = {{"office_user", "display_name", "displayName", "text"},
                                   {"office_user", "mail", "mail", "text"},
                                   {"office_user", "is_enabled", "accountEnabled", "boolean"}};
  return catalog;
}

inline Catalog projects_catalog() {
  Catalog catalog;
  catalog.modules = {{"projects_portal", "portals", "portal", false, false, false, true},
                     {"projects_user", "users", "portal user", true, false, false, true},
                     {"projects_client", "clients", "client", true, true, true, true},
                     {"projects_task_status", "statuses", "task status", false, false, false, true},
                     {"projects_project", "projects", "project", true, true, true, true},
                     {"projects_task_list", "tasklists", "task list", true, true, true, true},
                     {"projects_task", "tasks", "task", true, true, true, true},
                     {"projects_client_user", "clientusers", "client user", true, true, true, true},
                     {"projects_comment", "comments", "comment", true, true, true, true}};
  catalog.fields["projects_comment"] = {
      {"projects_comment", "content", "comment", "html", "", true},
      {"projects_comment", "author_id", "created_by", "reference", "projects_user"},
      {"projects_comment", "author_name", "created_by.full_name", "text"},
      {"projects_comment", "posted_at", "created_time", "instant"},
      {"projects_comment", "task_id", "task", "reference", "projects_task", true, false, true},
      {"projects_comment", "project_id", "project", "reference", "projects_project", true, false,
       true}};
  catalog.fields["projects_client"] = {{"projects_client", "name", "name", "text", "", true}};
  catalog.fields["projects_client_user"] = {
      {"projects_client_user", "email", "email", "text", "", true},
      {"projects_client_user", "client_id", "client", "reference", "projects_client", true},
      {"projects_client_user", "project_id", "invited_to", "reference", "projects_project", true}};
  catalog.fields["projects_portal"] = {{"projects_portal", "name", "portal_name", "text"}};
  catalog.fields["projects_user"] = {
      {"projects_user", "full_name", "full_name", "text"},
      {"projects_user", "email", "email", "text", "", true},
      {"projects_user", "role", "role", "text", "", true},
      {"projects_user", "portal_id", "portal", "reference", "projects_portal", false, false, true}};
  catalog.fields["projects_project"] = {
      {"projects_project", "name", "name", "text", "", true},
      {"projects_project", "description", "description", "html", "", true},
      {"projects_project", "end_date", "end_date", "date", "", true},
      {"projects_project", "owner_id", "owner", "reference", "projects_user", true},
      {"projects_project", "client_id", "client", "reference", "projects_client", true},
      {"projects_project", "user_ids", "project_users", "references", "projects_user", true},
      {"projects_project", "client_user_ids", "client_users", "references", "projects_client_user",
       true},
      {"projects_project", "status", "status", "picklist"},
      {"projects_project", "open_task_count", "tasks.open_count", "number"},
      {"projects_project", "portal_id", "portal", "reference", "projects_portal", true, false,
       true}};
  catalog.fields["projects_task_list"] = {{"projects_task_list", "name", "name", "text", "", true},
                                          {"projects_task_list", "project_id", "project",
                                           "reference", "projects_project", true, false, true}};
  catalog.fields["projects_task"] = {
      {"projects_task", "name", "name", "text", "", true},
      {"projects_task", "description", "description", "html", "", true},
      {"projects_task", "start_date", "start_date", "instant", "", true},
      {"projects_task", "end_date", "end_date", "instant", "", true},
      {"projects_task", "priority", "priority", "picklist", "", true},
      {"projects_task", "is_completed", "is_completed", "boolean", "", true},
      {"projects_task", "status", "status", "picklist"},
      {"projects_task", "completion_percentage", "completion_percentage", "number", "", true},
      {"projects_task", "owner_ids", "owners_and_work", "references", "projects_user", true},
      {"projects_task", "key", "prefix", "text"},
      {"projects_task", "parent_task_id", "parental_info", "reference", "projects_task", true},
      {"projects_task", "task_list_id", "tasklist", "reference", "projects_task_list", true},
      {"projects_task", "project_id", "project", "reference", "projects_project", true, false,
       true},
      {"projects_task", "portal_id", "portal", "reference", "projects_portal", true, false, true}};
  return catalog;
}

}  // namespace crm_bridge::worker::test
