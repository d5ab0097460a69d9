use super::*;

#[test]
fn a_folder_that_holds_a_run_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    RunFolder::create(&path).unwrap();
    let message = RunFolder::create(&path).unwrap_err().to_string();
    assert!(message.starts_with("out: ") && message.contains("already holds a run"), "{message}");
}

#[test]
fn a_folder_with_other_files_is_taken() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("notes.txt"), "mine").unwrap();
    RunFolder::create(parent.path()).unwrap();
}

#[test]
fn two_runs_of_the_same_second_get_two_folders() {
    let parent = tempfile::tempdir().unwrap();
    let names = [0; 3].map(|_| RunFolder::create_unique(parent.path(), "run").unwrap().path);
    assert_eq!(names, ["run", "run-2", "run-3"].map(|name| parent.path().join(name)));
}

#[test]
fn a_folder_below_a_file_cannot_be_made() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(RunFolder::create(file.join("run")), Err(Error::Io { .. })));
    let message = RunFolder::create(&file).unwrap_err().to_string();
    assert!(message.starts_with("out: ") && message.contains("is not a folder"), "{message}");
}

#[test]
fn an_unfinished_run_can_be_removed_and_nothing_else() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("run");
    RunFolder::remove_unfinished(&path).unwrap();
    RunFolder::create(&path).unwrap();
    fs::write(path.join(".tanner-abc"), "half a model").unwrap();
    assert!(RunFolder::finished(&path).unwrap().is_none());
    RunFolder::remove_unfinished(&path).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_folder_with_other_files_is_unchanged() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("run");
    RunFolder::create(&path).unwrap();
    fs::write(path.join(MODEL), "all that was trained").unwrap();
    for foreign in ["notes.txt", SUMMARY] {
        fs::write(path.join(foreign), "mine").unwrap();
        let message = RunFolder::remove_unfinished(&path).unwrap_err().to_string();
        assert!(message.contains(&format!("holds {foreign}, ")), "{message}");
        assert!([METRICS, MODEL, foreign].iter().all(|name| path.join(name).exists()));
        fs::remove_file(path.join(foreign)).unwrap();
    }
    fs::create_dir(path.join(CURVE)).unwrap();
    assert!(RunFolder::remove_unfinished(&path).is_err() && path.join(MODEL).exists());
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(RunFolder::remove_unfinished(&file).is_err() && file.exists());
}

#[test]
fn a_damaged_summary_is_reported_with_its_path() {
    let parent = tempfile::tempdir().unwrap();
    for name in [CONFIG, SUMMARY] {
        fs::write(parent.path().join(name), "{").unwrap();
    }
    let message = RunFolder::finished(parent.path()).unwrap_err().to_string();
    assert!(message.contains(SUMMARY), "{message}");
}
