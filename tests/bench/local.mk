# Built with the tests so that it does not rot; run by hand: tests/bench/run [BUILD DIRECTORY].
check_PROGRAMS += %reldir%/append %reldir%/loop %reldir%/sink
%canon_reldir%_append_SOURCES = %reldir%/append.c
%canon_reldir%_loop_SOURCES = %reldir%/loop.c
%canon_reldir%_sink_SOURCES = %reldir%/sink.c
%canon_reldir%_sink_CPPFLAGS = $(GNUTLS_CFLAGS)
%canon_reldir%_sink_LDADD = $(GNUTLS_LIBS) -lpthread
EXTRA_DIST += %reldir%/README %reldir%/postfix.py %reldir%/queue %reldir%/run
check_PROGRAMS += %reldir%/store
%canon_reldir%_store_SOURCES = %reldir%/store.c
%canon_reldir%_store_CPPFLAGS = $(base_I) $(mail_I) $(store_I)
%canon_reldir%_store_LDADD = $(store_LIBS)
