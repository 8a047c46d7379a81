// SPDX-License-Identifier: PostgreSQL
#pragma once

namespace crm_bridge::sandbox::crm::standard {

// One field a line: api name | data type | length | flags (m = mandatory, r = read-only) |
// picklist values, or the module of a lookup.
inline constexpr const char *every_module = R"(
Owner|ownerlookup|0||
Created_By|ownerlookup|0|r|
Modified_By|ownerlookup|0|r|
Created_Time|datetime|0|r|
Modified_Time|datetime|0|r|
Last_Activity_Time|datetime|0|r|
Locked__s|boolean|0|r|
Record_Status__s|picklist|120|r|Available;Trash;Draft
)";

inline constexpr const char *accounts = R"(
Account_Name|text|200|m|
Account_Number|bigint|18||
Account_Site|text|80||
Account_Type|picklist|120||Analyst;Competitor;Customer;Distributor;Integrator;Investor;Other;Partner;Press;Prospect;Reseller;Supplier;Vendor
Parent_Account|lookup|0||Accounts
Industry|picklist|120||Communications;Technology;Government/Military;Manufacturing;Financial Services;IT Services;Education;Pharma;Real Estate;Consulting;Health Care
Ownership|picklist|120||Other;Private;Public;Subsidiary;Government
Rating|picklist|120||Acquired;Active;Market Failed;Project Cancelled;Shut Down
Annual_Revenue|currency|16||
Employees|integer|9||
Phone|phone|30||
Fax|text|30||
Website|website|255||
Ticker_Symbol|text|30||
SIC_Code|integer|9||
Billing_Street|text|250||
Billing_City|text|100||
Billing_State|text|100||
Billing_Code|text|30||
Billing_Country|text|100||
Shipping_Street|text|250||
Shipping_City|text|100||
Shipping_State|text|100||
Shipping_Code|text|30||
Shipping_Country|text|100||
Description|textarea|32000||
)";

inline constexpr const char *contacts = R"(
Last_Name|text|80|m|
First_Name|text|40||
Full_Name|text|120|r|
Salutation|picklist|120||Mr.;Mrs.;Ms.;Dr.;Prof.
Account_Name|lookup|0||Accounts
Reporting_To|lookup|0||Contacts
Email|email|100||
Secondary_Email|email|100||
Phone|phone|30||
Mobile|phone|30||
Home_Phone|phone|30||
Other_Phone|phone|30||
Fax|text|30||
Assistant|text|100||
Asst_Phone|phone|30||
Title|text|100||
Department|text|100||
Date_of_Birth|date|0||
Lead_Source|picklist|120||Advertisement;Cold Call;Employee Referral;External Referral;Partner;Public Relations;Trade Show;Web Download;Web Research
Mailing_Street|text|250||
Mailing_City|text|100||
Mailing_State|text|100||
Mailing_Zip|text|30||
Mailing_Country|text|100||
Other_Street|text|250||
Other_City|text|100||
Other_State|text|100||
Other_Zip|text|30||
Other_Country|text|100||
Description|textarea|32000||
Email_Opt_Out|boolean|0||
Skype_ID|text|50||
Twitter|text|50||
)";

inline constexpr const char *bigin_accounts = R"(
Account_Name|text|200|m|
Phone|phone|30||
Website|website|255||
Description|textarea|32000||
Billing_Street|text|250||
Billing_City|text|100||
Billing_State|text|100||
Billing_Code|text|30||
Billing_Country|text|100||
)";

inline constexpr const char *bigin_contacts = R"(
Last_Name|text|80|m|
First_Name|text|40||
Full_Name|text|120|r|
Email|email|100||
Phone|phone|30||
Mobile|phone|30||
Home_Phone|phone|30||
Title|text|100||
Description|textarea|32000||
Mailing_Street|text|250||
Mailing_City|text|100||
Mailing_State|text|100||
Mailing_Zip|text|30||
Mailing_Country|text|100||
Account_Name|lookup|0||Accounts
Email_Opt_Out|boolean|0||
)";

inline constexpr const char *leads = R"(
Last_Name|text|80|m|
First_Name|text|40||
Full_Name|text|120|r|
Salutation|picklist|120||Mr.;Mrs.;Ms.;Dr.;Prof.
Company|text|200||
Designation|text|100||
Email|email|100||
Secondary_Email|email|100||
Phone|phone|30||
Mobile|phone|30||
Fax|text|30||
Website|website|255||
Lead_Source|picklist|120||Advertisement;Cold Call;Employee Referral;External Referral;Partner;Public Relations;Trade Show;Web Download;Web Research
Lead_Status|picklist|120||Attempted to Contact;Contact in Future;Contacted;Junk Lead;Lost Lead;Not Contacted;Pre-Qualified;Not Qualified
Industry|picklist|120||Communications;Technology;Government/Military;Manufacturing;Financial Services;IT Services;Education;Pharma;Real Estate;Consulting;Health Care
Rating|picklist|120||Acquired;Active;Market Failed;Project Cancelled;Shut Down
No_of_Employees|integer|9||
Annual_Revenue|currency|16||
Street|text|250||
City|text|100||
State|text|100||
Zip_Code|text|30||
Country|text|100||
Description|textarea|32000||
Email_Opt_Out|boolean|0||
Skype_ID|text|50||
Twitter|text|50||
Converted__s|boolean|0|r|
Converted_Date_Time|datetime|0|r|
Converted_Account|lookup|0|r|Accounts
Converted_Contact|lookup|0|r|Contacts
Converted_Deal|lookup|0|r|Deals
)";

inline constexpr const char *deals = R"(
Deal_Name|text|120|m|
Stage|picklist|120|m|Qualification;Needs Analysis;Value Proposition;Id. Decision Makers;Proposal/Price Quote;Negotiation/Review;Closed Won;Closed Lost
Closing_Date|date|0||
Amount|currency|16||
Probability|integer|9||
Expected_Revenue|currency|16|r|
Account_Name|lookup|0||Accounts
Contact_Name|lookup|0||Contacts
Type|picklist|120||Existing Business;New Business
Lead_Source|picklist|120||Advertisement;Cold Call;Employee Referral;External Referral;Partner;Public Relations;Trade Show;Web Download;Web Research
Next_Step|text|100||
Description|textarea|32000||
Reason_For_Loss__s|picklist|120||Expectation Mismatch;Price;Unqualified Customer;Lack of response;Missed Follow Ups;Wrong Target;Competition;Future Interest;Other
Lead_Conversion_Time|integer|9|r|
Sales_Cycle_Duration|integer|9|r|
Overall_Sales_Duration|integer|9|r|
)";

inline constexpr const char *tasks = R"(
Subject|text|255|m|
Description|textarea|32000||
Due_Date|date|0||
Status|picklist|120||Not Started;Deferred;In Progress;Completed;Waiting for input
Priority|picklist|120||High;Highest;Low;Lowest;Normal
What_Id|lookup|0||*
Who_Id|lookup|0||Contacts
Closed_Time|datetime|0|r|
Remind_At|ALARM|0||
Recurring_Activity|RRULE|0||
Send_Notification_Email|boolean|0||
)";

inline constexpr const char *events = R"(
Event_Title|text|255|m|
Start_DateTime|datetime|0|m|
End_DateTime|datetime|0|m|
All_day|boolean|0||
Venue|text|255||
Description|textarea|32000||
What_Id|lookup|0||*
Who_Id|lookup|0||Contacts
)";

inline constexpr const char *notes = R"(
Note_Title|text|120||
Note_Content|textarea|65535||
Parent_Id|lookup|0||*
)";

}  // namespace crm_bridge::sandbox::crm::standard
