"""Steps, their learning rate, stopping and resuming."""

import json
import pathlib
import signal
import sys
import tempfile
import threading
import unittest

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import plot_log  # noqa: E402
from loop import Average, Run, Settings, learning_rate  # noqa: E402


class LearningRateTest(unittest.TestCase):
    def test_it_warms_up_stays_and_falls(self):
        settings = Settings(1., steps=1000, warm_up=100, decay=.25)
        self.assertAlmostEqual(learning_rate(settings, 0, 0), .01)
        self.assertEqual(learning_rate(settings, 700, 0), 1.)
        self.assertAlmostEqual(learning_rate(settings, 875, 0), .51)
        self.assertAlmostEqual(learning_rate(settings, 1000, 0), .02)

    def test_it_warms_up_again_after_a_start_from_weights(self):
        self.assertAlmostEqual(learning_rate(Settings(1., warm_up=100), 5000, 5000), .01)

    def test_without_an_end_it_stays(self):
        self.assertEqual(learning_rate(Settings(1.), 10 ** 6, 0), 1.)


class RunTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_of(self, folder: str, steps: int, resume: bool = False, **more) -> torch.nn.Module:
        torch.manual_seed(0)
        module = torch.nn.Linear(4, 4)
        run = Run(self.folder / folder, {"linear": module}, Settings(.1, steps, average=.9, **more))
        if resume:
            run.resume()

        def losses(step, rng):
            loss = (module(torch.randn(8, 4)) - float(rng.random())).square().mean()
            return loss, {"step_seen": step}

        run.train(losses)
        run.average.swap()
        return module

    def test_a_resumed_run_equals_one_that_was_not_stopped(self):
        whole = self.run_of("whole", 120, decay=0.)
        self.run_of("parts", 60, decay=0.)
        parts = self.run_of("parts", 120, resume=True, decay=0.)
        for a, b in zip(whole.parameters(), parts.parameters()):
            self.assertTrue(torch.equal(a, b))
        logs = [[{k: v for k, v in json.loads(line).items() if k != "time"} for line in
                 (self.folder / folder / "log.jsonl").read_text().splitlines()] for folder in ("whole", "parts")]
        self.assertEqual([line["step"] for line in logs[0]], [50, 100])
        self.assertEqual(logs[0][0], logs[1][0])

    def test_steps_after_the_last_save_leave_the_log_on_resuming(self):
        self.run_of("again", 60)
        (self.folder / "again/log.jsonl").write_text('{"step": 50}\n{"step": 100}\n')
        self.run_of("again", 61, resume=True)
        self.assertEqual((self.folder / "again/log.jsonl").read_text(), '{"step": 50}\n')

    def test_time_ends_a_run_that_can_be_resumed(self):
        self.run_of("short", 10 ** 9, minutes=1e-4)
        self.assertTrue((self.folder / "short/state.pt").exists())

    def test_it_saves_when_it_is_asked_to_end(self):
        torch.manual_seed(0)
        module = torch.nn.Linear(4, 4)
        run = Run(self.folder / "asked", {"linear": module}, Settings(.1, 100))

        def losses(step, rng):
            if step == 6:
                signal.raise_signal(signal.SIGTERM)
            return module(torch.randn(8, 4)).square().mean(), {}

        before = signal.getsignal(signal.SIGTERM)
        run.train(losses)
        self.assertEqual(json.loads((self.folder / "asked/progress.json").read_text()), {"step": 7})
        self.assertEqual(signal.getsignal(signal.SIGTERM), before)

    def test_a_paused_run_can_be_asked_to_end(self):
        (self.folder / "pause").touch()
        module = torch.nn.Linear(4, 4)
        run = Run(self.folder / "paused", {"linear": module}, Settings(.1, 100, pause_while=self.folder / "pause"))
        timer = threading.Timer(.3, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM))
        timer.start()
        run.train(lambda step, rng: self.fail("a step while paused"))
        timer.join()
        self.assertEqual(json.loads((self.folder / "paused/progress.json").read_text()), {"step": 0})

    def test_average_follows_the_parameters_and_swaps(self):
        parameter = torch.nn.Parameter(torch.zeros(1))
        average = Average([parameter], .5)
        for _ in range(50):
            with torch.no_grad():
                parameter.fill_(1.)
            average.update()
        with torch.no_grad():
            parameter.fill_(2.)
        average.swap()
        self.assertAlmostEqual(parameter.item(), 1., places=5)
        self.assertEqual(average.values[0].item(), 2.)

    def test_plot_joins_logs(self):
        files = [self.folder / "a.jsonl", self.folder / "b.jsonl"]
        files[0].write_text('{"step": 50, "time": 1, "loss": 2.0}\n')
        files[1].write_text('{"step": 50, "time": 2, "loss": 1.5}\n{"step": 100, "time": 3, "loss": 1.0}\n')
        self.assertEqual([line["loss"] for line in plot_log.read(files)], [1.5, 1.0])


if __name__ == "__main__":
    unittest.main()
