use super::super::RunFolder;
use super::*;

const EPOCH: &str = r#""train_loss":1.0,"test_loss":1.0,"train_accuracy":0.5,"learning_rate":0.1,"seconds":1.0,"seconds_steps":0.9"#;

fn line(epoch: usize, accuracy: f64) -> String {
    format!("{{\"epoch\":{epoch},\"test_accuracy\":{accuracy},{EPOCH}}}\n")
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const SETTINGS: &str = r#"{"architecture":{"arch":"rsp"},"importance":"pca","order":"desc","validation":"0.1",
    "recipe":{"epochs":5},"started_at":"2026-11-23T09:03:21+00:00[Etc/UTC]"}"#;

#[test]
fn an_unfinished_run_keeps_its_whole_lines() {
    let text = line(1, 0.5) + &line(2, 0.75) + &line(3, 0.75) + &line(4, 0.25)[..20];
    let folder = folder(&[(CONFIG, SETTINGS), (METRICS, &text), (".tanner-x", "temporary")]);
    let run = PastRun::read(folder.path()).unwrap();
    assert_eq!((run.state(), run.history.len(), run.files.len()), (RunState::Stopped, 3, 2));
    let overview = RunOverview::new(&run);
    assert_eq!((overview.accuracy, overview.best_accuracy), (Some(0.75), Some(0.75)));
    assert_eq!((overview.best_epoch, overview.epochs, overview.epochs_planned), (Some(2), 3, Some(5)));
    assert_eq!(overview.started, Some(1_795_424_601));
    assert_eq!((overview.arch.as_deref(), overview.scored_on), (Some("rsp"), ScoredOn::Validation));
    assert_eq!(overview.parameters, None);
    let at_work = RunFolder::reopen(folder.path()).unwrap();
    assert_eq!(PastRun::read(folder.path()).unwrap().state(), RunState::Running);
    drop(at_work);
    assert_eq!(PastRun::read(folder.path()).unwrap().state(), RunState::Stopped);
}

#[test]
fn data_are_called_by_a_short_name() {
    let names = ["data/fashion-mnist", "a/wine.csv", "x.tar/mnist/"].map(|path| data_name(Path::new(path)));
    assert_eq!(names, ["fashion-mnist", "wine", "mnist"]);
    let here = std::env::current_dir().unwrap();
    assert_eq!(data_name(Path::new(".")), here.file_name().unwrap().to_string_lossy());
}

#[test]
fn damage_is_reported_and_the_rest_is_kept() {
    let half_line = line(1, 0.5) + "{\"epoch\":2,\n" + &line(3, 0.5);
    let backwards = line(2, 0.5) + &line(1, 0.5);
    for (files, epochs, part) in [
        (vec![(CONFIG, SETTINGS), (METRICS, half_line.as_str())], 1, "metrics.jsonl, line 2, is damaged"),
        (vec![(CONFIG, SETTINGS), (METRICS, &backwards)], 1, "metrics.jsonl, line 2: epoch 1 after epoch 2"),
        (vec![(CONFIG, "{"), (METRICS, &line(1, 0.5))], 1, "config.json is damaged"),
        (vec![(METRICS, &line(1, 0.5))], 1, "config.json is missing"),
        (vec![(CONFIG, SETTINGS), (SUMMARY, "[]")], 0, "summary.json is damaged"),
    ] {
        let folder = folder(&files);
        let run = PastRun::read(folder.path()).unwrap();
        assert_eq!((run.state(), run.history.len()), (RunState::Damaged, epochs), "{part}");
        let [problem] = &run.problems[..] else { panic!("{part}: {:?}", run.problems) };
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn a_folder_without_a_run_is_refused_and_passed_over() {
    let parent = folder(&[("notes.txt", "mine")]);
    let message = PastRun::read(parent.path()).unwrap_err().to_string();
    assert!(message.contains("is not a run folder"), "{message}");
    assert!(PastRun::read(parent.path().join("notes.txt")).is_err());
    for name in ["b", "a", "empty"] {
        fs::create_dir(parent.path().join(name)).unwrap();
        if name != "empty" {
            fs::write(parent.path().join(name).join(CONFIG), SETTINGS).unwrap();
        }
    }
    let names: Vec<String> = PastRun::all_below(parent.path()).unwrap().iter().map(PastRun::name).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(PastRun::all_below(parent.path().join("missing")).is_err());
}
