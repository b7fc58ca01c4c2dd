tls_check_CPPFLAGS = $(base_I) $(tls_I) $(GNUTLS_CFLAGS) $(CHECK_CFLAGS)
tls_check_LDADD = $(tls_LIBS) $(CHECK_LIBS)
tls_check_SOURCES = %reldir%/authority.c %reldir%/authority.h %reldir%/peer.c %reldir%/peer.h
tls_checks = %reldir%/check_tls %reldir%/check_tls_context %reldir%/check_tls_trust \
	%reldir%/check_tls_verdict %reldir%/check_crypto

check_PROGRAMS += $(tls_checks)
TESTS += $(tls_checks)
%canon_reldir%_check_tls_trust_CPPFLAGS = $(tls_check_CPPFLAGS)
%canon_reldir%_check_tls_trust_LDADD = $(tls_check_LDADD)
%canon_reldir%_check_tls_trust_SOURCES = %reldir%/check_tls_trust.c $(tls_check_SOURCES)
%canon_reldir%_check_tls_CPPFLAGS = $(tls_check_CPPFLAGS)
%canon_reldir%_check_tls_LDADD = $(tls_check_LDADD)
%canon_reldir%_check_tls_SOURCES = %reldir%/check_tls.c $(tls_check_SOURCES)
%canon_reldir%_check_tls_verdict_CPPFLAGS = $(tls_check_CPPFLAGS)
%canon_reldir%_check_tls_verdict_LDADD = $(tls_check_LDADD)
%canon_reldir%_check_tls_verdict_SOURCES = %reldir%/check_tls_verdict.c $(tls_check_SOURCES)
%canon_reldir%_check_tls_context_CPPFLAGS = $(tls_check_CPPFLAGS)
%canon_reldir%_check_tls_context_LDADD = $(tls_check_LDADD)
%canon_reldir%_check_tls_context_SOURCES = %reldir%/check_tls_context.c $(tls_check_SOURCES)
%canon_reldir%_check_crypto_CPPFLAGS = $(tls_check_CPPFLAGS)
%canon_reldir%_check_crypto_LDADD = $(tls_check_LDADD)
