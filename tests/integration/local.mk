# Each module is a test program of its own, so that -j works; driver.py gives each of its tests a
# line in the summary.
PY_LOG_DRIVER = env PYTHONDONTWRITEBYTECODE=1 TRANTER_BUILDDIR='$(abs_top_builddir)' \
	TRANTER_SRCDIR='$(abs_top_srcdir)' $(PYTHON3) $(top_srcdir)/%reldir%/driver.py
PY_LOG_COMPILER = $(PYTHON3)

integration_modules = \
	%reldir%/test_relay.py \
	%reldir%/test_pipeline.py \
	%reldir%/test_login.py \
	%reldir%/test_credential.py \
	%reldir%/test_content.py \
	%reldir%/test_crash.py \
	%reldir%/test_disk.py \
	%reldir%/test_kill.py \
	%reldir%/test_faults.py \
	%reldir%/test_outage.py \
	%reldir%/test_schedule.py \
	%reldir%/test_submission.py \
	%reldir%/test_envelope.py \
	%reldir%/test_alias.py \
	%reldir%/test_admin.py \
	%reldir%/test_queue.py \
	%reldir%/test_alarm.py \
	%reldir%/test_sendmail.py \
	%reldir%/test_compat.py \
	%reldir%/test_environment.py \
	%reldir%/test_diagnose.py \
	%reldir%/test_mode.py \
	%reldir%/test_drop.py \
	%reldir%/test_service.py \
	%reldir%/test_readers.py \
	%reldir%/test_delay.py %reldir%/test_digest.py %reldir%/test_notify.py %reldir%/test_report.py \
	%reldir%/test_postfix.py \
	%reldir%/test_dovecot.py \
	%reldir%/test_install.py \
	%reldir%/test_smarthost.py \
	%reldir%/test_callers.py \
	%reldir%/test_system_callers.py

TESTS += $(integration_modules)
EXTRA_DIST += \
	%reldir%/README \
	%reldir%/driver.py \
	%reldir%/lib.py \
	%reldir%/network.py \
	%reldir%/reports.py \
	tests/certificates.py \
	tests/demo.py \
	tests/smarthost.py \
	tests/smarthost_sasl.py \
	tests/smarthost_session.py \
	$(integration_modules)
