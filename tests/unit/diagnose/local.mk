diagnose_check_CPPFLAGS = $(base_I) $(smtp_I) $(tls_I) $(auth_I) $(net_I) $(conf_I) $(contact_I) $(diagnose_I) \
	-I$(top_srcdir)/tests/unit/tls $(GNUTLS_CFLAGS) $(CHECK_CFLAGS)
diagnose_check_LDADD = $(diagnose_LIBS) $(CHECK_LIBS)
diagnose_checks = %reldir%/check_diagnosis %reldir%/check_symptoms

check_PROGRAMS += $(diagnose_checks)
TESTS += $(diagnose_checks)
%canon_reldir%_check_diagnosis_CPPFLAGS = $(diagnose_check_CPPFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_check_diagnosis_LDADD = $(diagnose_check_LDADD) $(JANSSON_LIBS)
%canon_reldir%_check_symptoms_CPPFLAGS = $(diagnose_check_CPPFLAGS)
%canon_reldir%_check_symptoms_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_wall_ms
%canon_reldir%_check_symptoms_LDADD = $(diagnose_check_LDADD)
%canon_reldir%_check_symptoms_SOURCES = %reldir%/check_symptoms.c %reldir%/cause.c %reldir%/cause.h \
	%reldir%/cause_tls.c tests/unit/tls/authority.c tests/unit/tls/authority.h \
	tests/unit/tls/peer.c tests/unit/tls/peer.h
