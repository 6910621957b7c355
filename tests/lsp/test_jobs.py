from kimi_lsp.lsp.jobs import Jobs


async def test_a_newer_audit_of_the_same_document_ends_the_older_one() -> None:
    jobs = Jobs()
    with jobs.start("one", "shop", ["a"], is_triggered=False) as first:
        with jobs.start("two", "shop", ["a"], is_triggered=False) as second:
            assert first.scope.cancel_called
            assert not second.scope.cancel_called
            assert second.number > first.number
        assert len(jobs) == 1
    assert len(jobs) == 0


async def test_audits_of_other_documents_and_projects_run_side_by_side() -> None:
    jobs = Jobs()
    with (
        jobs.start("a", "shop", ["a"], is_triggered=False) as first,
        jobs.start("b", "shop", ["b"], is_triggered=False),
        jobs.start("c", "other", ["a"], is_triggered=False),
    ):
        assert not first.scope.cancel_called


async def test_an_audit_of_the_whole_project_ends_an_older_one_of_it_and_spares_single_documents() -> None:
    jobs = Jobs()
    with (
        jobs.start("all", "shop", [], is_triggered=False) as old,
        jobs.start("a", "shop", ["a"], is_triggered=False) as a,
        jobs.start("all again", "shop", [], is_triggered=False),
    ):
        assert old.scope.cancel_called
        assert not a.scope.cancel_called


async def test_an_edit_ends_only_what_nobody_asked_for() -> None:
    jobs = Jobs()
    with (
        jobs.start("asked", "shop", ["a"], is_triggered=False) as asked,
        jobs.start("saved", "shop", ["b"], is_triggered=True) as saved,
    ):
        assert jobs.cancel("edited", uri="a", is_triggered=True) == 0
        assert jobs.cancel("edited", uri="b", is_triggered=True) == 1
        assert saved.why == "edited"
        assert not asked.scope.cancel_called


async def test_closing_a_document_does_not_end_an_audit_of_the_project() -> None:
    jobs = Jobs()
    with jobs.start("some", "shop", ["a", "b"], is_triggered=False) as some:
        assert jobs.cancel("closed", uri="a") == 0
        assert jobs.cancel("progress", token="t") == 0
        some.token = "t"
        assert jobs.cancel("progress", token="t") == 1
        assert jobs.cancel("all") == 1
        assert some.why == "progress"
