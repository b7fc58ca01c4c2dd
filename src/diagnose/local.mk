noinst_LIBRARIES += %reldir%/libdiagnose.a
%canon_reldir%_libdiagnose_a_CPPFLAGS = $(base_I) $(smtp_I) $(tls_I) $(auth_I) $(net_I) $(conf_I) \
	$(contact_I) $(diagnose_I) $(JANSSON_CFLAGS)
%canon_reldir%_libdiagnose_a_SOURCES = \
	%reldir%/conclude.c %reldir%/conclude.h \
	%reldir%/diagnosis.c %reldir%/diagnosis.h \
	%reldir%/diagnosis_json.c \
	%reldir%/diagnosis_text.c %reldir%/diagnosis_text.h \
	%reldir%/notes.c %reldir%/notes.h \
	%reldir%/probe.c %reldir%/probe.h \
	%reldir%/steps.c %reldir%/steps.h \
	%reldir%/symptom.c %reldir%/symptom.h \
	%reldir%/transcript.c %reldir%/transcript.h \
	%reldir%/walk.c %reldir%/walk.h
