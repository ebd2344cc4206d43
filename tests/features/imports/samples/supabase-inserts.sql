--
-- PostgreSQL database dump
--

\restrict Dptwn9UUSseZZ6l6SfgILCxQ5NhySrxdHbBKUzFjCnxy0HpXC62oId4kLi1xVGQ

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Data for Name: users; Type: TABLE DATA; Schema: auth; Owner: postgres
--

INSERT INTO "auth"."users" ("instance_id", "id", "aud", "role", "email", "encrypted_password", "email_confirmed_at", "invited_at", "confirmation_token", "confirmation_sent_at", "recovery_token", "recovery_sent_at", "email_change_token_new", "email_change", "email_change_sent_at", "last_sign_in_at", "raw_app_meta_data", "raw_user_meta_data", "is_super_admin", "created_at", "updated_at", "phone", "phone_confirmed_at", "phone_change", "phone_change_token", "phone_change_sent_at", "email_change_token_current", "email_change_confirm_status", "banned_until", "reauthentication_token", "reauthentication_sent_at", "is_sso_user", "deleted_at", "is_anonymous") VALUES
	('00000000-0000-0000-0000-000000000000', '6f9619ff-8b86-4d01-b42d-00cf4fc964f1', 'authenticated', 'authenticated', 'ann@example.com', '$2a$10$cWlJLZkx/HWgeLRxvZBVv.gpoepEcCr8.WxUY1tj0msJ0AaMBDVg6', '2023-04-05 06:07:09+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"provider": "email", "providers": ["email"]}', '{"note": "tab\there and a back\\slash", "full_name": "Ann O''Leary"}', NULL, '2023-04-05 06:07:08.901+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false),
	('00000000-0000-0000-0000-000000000000', '6f9619ff-8b86-4d01-b42d-00cf4fc964f2', 'authenticated', 'authenticated', 'ben@example.com', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"provider": "google", "providers": ["google"]}', '{"name": "Ben (of Google), first"}', NULL, '2023-04-06 06:07:08+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, false);
INSERT INTO "auth"."users" ("instance_id", "id", "aud", "role", "email", "encrypted_password", "email_confirmed_at", "invited_at", "confirmation_token", "confirmation_sent_at", "recovery_token", "recovery_sent_at", "email_change_token_new", "email_change", "email_change_sent_at", "last_sign_in_at", "raw_app_meta_data", "raw_user_meta_data", "is_super_admin", "created_at", "updated_at", "phone", "phone_confirmed_at", "phone_change", "phone_change_token", "phone_change_sent_at", "email_change_token_current", "email_change_confirm_status", "banned_until", "reauthentication_token", "reauthentication_sent_at", "is_sso_user", "deleted_at", "is_anonymous") VALUES
	('00000000-0000-0000-0000-000000000000', '6f9619ff-8b86-4d01-b42d-00cf4fc964f3', 'authenticated', 'authenticated', 'cleo@example.com', '$2a$10$6PXWd8wt3/vGMoGO0TjxgeVJPj7JTzRSwZGyR9.aH77y.mkuf9rSq', '2023-04-05 06:07:09+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', NULL, '2023-04-06 06:07:08+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2999-01-01 00:00:00+00', NULL, NULL, false, NULL, false),
	('00000000-0000-0000-0000-000000000000', '6f9619ff-8b86-4d01-b42d-00cf4fc964f4', 'authenticated', 'authenticated', 'dan@example.com', '$2a$10$HlrOUr.Pm945AD.whK/0eOSxyc4KdMTNTUqLWlGnmxp0qxnlr5JCW', '2023-04-05 06:07:09+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', NULL, '2023-04-06 06:07:08+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '2023-05-01 00:00:00+00', false);
INSERT INTO "auth"."users" ("instance_id", "id", "aud", "role", "email", "encrypted_password", "email_confirmed_at", "invited_at", "confirmation_token", "confirmation_sent_at", "recovery_token", "recovery_sent_at", "email_change_token_new", "email_change", "email_change_sent_at", "last_sign_in_at", "raw_app_meta_data", "raw_user_meta_data", "is_super_admin", "created_at", "updated_at", "phone", "phone_confirmed_at", "phone_change", "phone_change_token", "phone_change_sent_at", "email_change_token_current", "email_change_confirm_status", "banned_until", "reauthentication_token", "reauthentication_sent_at", "is_sso_user", "deleted_at", "is_anonymous") VALUES
	('00000000-0000-0000-0000-000000000000', '6f9619ff-8b86-4d01-b42d-00cf4fc964f5', 'authenticated', 'authenticated', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', NULL, '2023-04-06 06:07:08+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, true),
	('00000000-0000-0000-0000-000000000000', '6f9619ff-8b86-4d01-b42d-00cf4fc964f6', 'authenticated', 'authenticated', 'fay@example.com', '$2a$10$5h9SeFU8dEcgQgzmvFYbxuISSeX3Kfd/2IaBekSA1LngXJ2O58Yo.', '2023-04-05 06:07:09+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL, '2023-04-06 06:07:08+00', NULL, '4912345', NULL, NULL, NULL, NULL, NULL, NULL, '2023-05-01 00:00:00+00', NULL, NULL, false, NULL, false);


--
-- PostgreSQL database dump complete
--

\unrestrict Dptwn9UUSseZZ6l6SfgILCxQ5NhySrxdHbBKUzFjCnxy0HpXC62oId4kLi1xVGQ

