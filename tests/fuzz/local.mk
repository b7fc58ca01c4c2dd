# A fuzz target is fuzz_NAME.c, which has LLVMFuzzerTestOneInput, and the folder corpus/NAME. make check replays the
# corpus; with --enable-fuzzing and clang the same programs are fuzzers:
#     tests/fuzz/fuzz_NAME -max_total_time=60 NEW_FOLDER SRCDIR/tests/fuzz/corpus/NAME
fuzz_programs =
check_PROGRAMS += $(fuzz_programs)
if FUZZING
fuzz_main =
fuzz_link = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_main = %reldir%/replay.c
fuzz_link = $(AM_LDFLAGS)
TESTS += $(fuzz_programs)
endif
EXTRA_DIST += %reldir%/corpus

fuzz_programs += %reldir%/fuzz_smtp_command
%canon_reldir%_fuzz_smtp_command_SOURCES = %reldir%/fuzz_smtp_command.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_command_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_command"'
%canon_reldir%_fuzz_smtp_command_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_command_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_smtp_data
%canon_reldir%_fuzz_smtp_data_SOURCES = %reldir%/fuzz_smtp_data.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_data_CPPFLAGS = $(base_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_data"'
%canon_reldir%_fuzz_smtp_data_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_data_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_smtp_server
%canon_reldir%_fuzz_smtp_server_SOURCES = %reldir%/fuzz_smtp_server.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_server_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_server"'
%canon_reldir%_fuzz_smtp_server_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_server_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_question
%canon_reldir%_fuzz_question_SOURCES = %reldir%/fuzz_question.c $(fuzz_main)
%canon_reldir%_fuzz_question_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(view_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/question"'
%canon_reldir%_fuzz_question_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_question_LDADD = $(view_LIBS)

fuzz_programs += %reldir%/fuzz_conf
%canon_reldir%_fuzz_conf_SOURCES = %reldir%/fuzz_conf.c $(fuzz_main)
%canon_reldir%_fuzz_conf_CPPFLAGS = $(base_I) $(conf_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/conf"'
%canon_reldir%_fuzz_conf_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_conf_LDADD = $(conf_LIBS)

fuzz_programs += %reldir%/fuzz_address_list
%canon_reldir%_fuzz_address_list_SOURCES = %reldir%/fuzz_address_list.c $(fuzz_main)
%canon_reldir%_fuzz_address_list_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/address_list"'
%canon_reldir%_fuzz_address_list_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_address_list_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_address_qualify
%canon_reldir%_fuzz_address_qualify_SOURCES = %reldir%/fuzz_address_qualify.c $(fuzz_main)
%canon_reldir%_fuzz_address_qualify_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/address_qualify"'
%canon_reldir%_fuzz_address_qualify_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_address_qualify_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_alias
%canon_reldir%_fuzz_alias_SOURCES = %reldir%/fuzz_alias.c $(fuzz_main)
%canon_reldir%_fuzz_alias_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/alias"'
%canon_reldir%_fuzz_alias_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_alias_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_header
%canon_reldir%_fuzz_header_SOURCES = %reldir%/fuzz_header.c $(fuzz_main)
%canon_reldir%_fuzz_header_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/header"'
%canon_reldir%_fuzz_header_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_header_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_fixup
%canon_reldir%_fuzz_fixup_SOURCES = %reldir%/fuzz_fixup.c $(fuzz_main)
%canon_reldir%_fuzz_fixup_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/fixup"'
%canon_reldir%_fuzz_fixup_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_fixup_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_report
%canon_reldir%_fuzz_report_SOURCES = %reldir%/fuzz_report.c $(fuzz_main)
%canon_reldir%_fuzz_report_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/report"'
%canon_reldir%_fuzz_report_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_report_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_smtp_caps
%canon_reldir%_fuzz_smtp_caps_SOURCES = %reldir%/fuzz_smtp_caps.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_caps_CPPFLAGS = $(base_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_caps"'
%canon_reldir%_fuzz_smtp_caps_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_caps_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_smtp_client
%canon_reldir%_fuzz_smtp_client_SOURCES = %reldir%/fuzz_smtp_client.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_client_CPPFLAGS = $(base_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_client"'
%canon_reldir%_fuzz_smtp_client_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_client_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_smtp_dot
%canon_reldir%_fuzz_smtp_dot_SOURCES = %reldir%/fuzz_smtp_dot.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_dot_CPPFLAGS = $(base_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_dot"'
%canon_reldir%_fuzz_smtp_dot_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_dot_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_smtp_reply
%canon_reldir%_fuzz_smtp_reply_SOURCES = %reldir%/fuzz_smtp_reply.c $(fuzz_main)
%canon_reldir%_fuzz_smtp_reply_CPPFLAGS = $(base_I) $(smtp_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/smtp_reply"'
%canon_reldir%_fuzz_smtp_reply_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_smtp_reply_LDADD = $(smtp_LIBS)

fuzz_programs += %reldir%/fuzz_ask
%canon_reldir%_fuzz_ask_SOURCES = %reldir%/fuzz_ask.c $(fuzz_main)
%canon_reldir%_fuzz_ask_CPPFLAGS = $(base_I) $(tools_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/ask"'
%canon_reldir%_fuzz_ask_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_ask_LDADD = $(tools_LIBS)

fuzz_programs += %reldir%/fuzz_intake
%canon_reldir%_fuzz_intake_SOURCES = %reldir%/fuzz_intake.c $(fuzz_main)
%canon_reldir%_fuzz_intake_CPPFLAGS = $(base_I) $(mail_I) $(tools_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/intake"'
%canon_reldir%_fuzz_intake_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_intake_LDADD = $(tools_LIBS)

fuzz_programs += %reldir%/fuzz_options
%canon_reldir%_fuzz_options_SOURCES = %reldir%/fuzz_options.c $(fuzz_main)
%canon_reldir%_fuzz_options_CPPFLAGS = $(base_I) $(tools_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/options"'
%canon_reldir%_fuzz_options_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_options_LDADD = $(tools_LIBS)

fuzz_programs += %reldir%/fuzz_session
%canon_reldir%_fuzz_session_SOURCES = %reldir%/fuzz_session.c $(fuzz_main)
%canon_reldir%_fuzz_session_CPPFLAGS = $(base_I) $(tools_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/session"'
%canon_reldir%_fuzz_session_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_session_LDADD = $(tools_LIBS)

fuzz_programs += %reldir%/fuzz_tls
%canon_reldir%_fuzz_tls_SOURCES = %reldir%/fuzz_tls.c $(fuzz_main)
%canon_reldir%_fuzz_tls_CPPFLAGS = $(base_I) $(tls_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/tls"'
%canon_reldir%_fuzz_tls_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_tls_LDADD = $(tls_LIBS)

fuzz_programs += %reldir%/fuzz_fit
%canon_reldir%_fuzz_fit_SOURCES = %reldir%/fuzz_fit.c $(fuzz_main)
%canon_reldir%_fuzz_fit_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/fit"'
%canon_reldir%_fuzz_fit_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_fit_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_mime
%canon_reldir%_fuzz_mime_SOURCES = %reldir%/fuzz_mime.c $(fuzz_main)
%canon_reldir%_fuzz_mime_CPPFLAGS = $(base_I) $(mail_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/mime"'
%canon_reldir%_fuzz_mime_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_mime_LDADD = $(mail_LIBS)

fuzz_programs += %reldir%/fuzz_sasl
%canon_reldir%_fuzz_sasl_SOURCES = %reldir%/fuzz_sasl.c $(fuzz_main)
%canon_reldir%_fuzz_sasl_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(auth_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/sasl"'
%canon_reldir%_fuzz_sasl_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_sasl_LDADD = $(auth_LIBS)

fuzz_programs += %reldir%/fuzz_token
%canon_reldir%_fuzz_token_SOURCES = %reldir%/fuzz_token.c $(fuzz_main)
%canon_reldir%_fuzz_token_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(auth_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/token"'
%canon_reldir%_fuzz_token_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_token_LDADD = $(auth_LIBS)

fuzz_programs += %reldir%/fuzz_argv
%canon_reldir%_fuzz_argv_SOURCES = %reldir%/fuzz_argv.c $(fuzz_main)
%canon_reldir%_fuzz_argv_CPPFLAGS = $(base_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/argv"'
%canon_reldir%_fuzz_argv_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_argv_LDADD = $(base_LIBS)

fuzz_programs += %reldir%/fuzz_diagnosis
%canon_reldir%_fuzz_diagnosis_SOURCES = %reldir%/fuzz_diagnosis.c $(fuzz_main)
%canon_reldir%_fuzz_diagnosis_CPPFLAGS = $(base_I) $(smtp_I) $(tls_I) $(net_I) $(conf_I) $(diagnose_I) \
	-DFUZZ_CORPUS='"$(srcdir)/%reldir%/corpus/diagnosis"'
%canon_reldir%_fuzz_diagnosis_LDFLAGS = $(fuzz_link)
%canon_reldir%_fuzz_diagnosis_LDADD = $(diagnose_LIBS)
