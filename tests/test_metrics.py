"""What is counted can be exported, and says nothing of who speaks."""

from prometheus_client import generate_latest

from wyoming_streamwhisper import metrics


def test_everything_is_exported_under_our_name():
    metrics.Stages("final").observe([0.01, 0.001, 0.03, 0.02, 0.0], 2.0)
    text = generate_latest(metrics.REGISTRY).decode()
    assert 'streamwhisper_stage_seconds_count{kind="final",stage="encode"}' in text
    assert 'streamwhisper_decoded_seconds_total{kind="final"}' in text
    assert "streamwhisper_process_resident_memory_bytes" in text
    assert "_created" not in text
    names = {line.split("{")[0].split()[0] for line in text.splitlines() if line[0] != "#"}
    assert all(name.startswith("streamwhisper_") for name in names)


def test_no_label_can_be_chosen_by_a_client():
    labels = {
        label
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert labels <= {"le", "stage", "kind", "code", "outcome"}
