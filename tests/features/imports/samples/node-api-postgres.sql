--
-- PostgreSQL database dump
--

\restrict n3c6CGuXkyCgx3hk6qOjEgN98EViYd6nbSULnlL4UfuNhpOvLLcUVFUOsEBkZ7Q

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
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.users (id, name, email, password, is_deleted, reset_token, reset_token_expires, refresh_token, created_at) FROM stdin;
3	Ann, the first	ann@example.com	$2b$10$meeHhpLrKZ3W8II2LitbnuXVu9J/P4CeP9qo37vSWl2Zfq2CjrZ2i	f	\N	\N	\N	2023-04-05 06:07:08.901
7	Ben	ben@example.com	$2b$10$QVBNEeZZN.CiA.Y7nSLJwuenUPNb3167A5.ViIaocKaj4J8k0Jyp.	f	\N	\N	\N	2023-04-06 06:07:08
8	Cleo	cleo@example.com	$2b$10$YqCXZr0RV//NnF.Ywy4pHurZalsw2mwq.MqRLcvF7Dgh1oSrZDW4i	t	\N	\N	\N	2023-04-06 06:07:08
\.


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.users_id_seq', 1, false);


--
-- PostgreSQL database dump complete
--

\unrestrict n3c6CGuXkyCgx3hk6qOjEgN98EViYd6nbSULnlL4UfuNhpOvLLcUVFUOsEBkZ7Q

