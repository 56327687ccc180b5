//! What jobs say of each other.

use super::{File, job::JobFile, read::Faults};
use crate::{fault::Fault, pipeline::faults, spec::listed};

pub fn check(file: &File, faults: &mut Faults) {
    for job in &file.jobs {
        stage(file, job, faults);
        needs(file, job, faults);
        dependencies(file, job, faults);
    }
    circles(file, faults);
}

fn place(file: &File, job: &JobFile) -> Option<usize> {
    file.stages.iter().position(|s| *s == job.stage)
}

fn stage(file: &File, job: &JobFile, faults: &mut Faults) {
    if place(file, job).is_none() {
        let allowed = listed(file.stages.iter().map(String::as_str));
        let fault = Fault::new(&faults::NO_STAGE).at(job.stage_at.clone());
        faults.push(fault.with("job", &job.name).with("stage", &job.stage).with("allowed", allowed));
    }
}

fn needs(file: &File, job: &JobFile, faults: &mut Faults) {
    for need in job.needs.iter().flatten() {
        let code = match file.jobs.iter().find(|j| j.name == need.job) {
            None if need.optional => continue,
            None => &faults::NEED_UNKNOWN,
            Some(other) if place(file, other) > place(file, job) && place(file, job).is_some() => &faults::NEED_LATER,
            Some(_) => continue,
        };
        faults.push(Fault::new(code).at(need.at.clone()).with("job", &job.name).with("need", &need.job));
    }
}

fn dependencies(file: &File, job: &JobFile, faults: &mut Faults) {
    for (name, at) in job.dependencies.iter().flatten() {
        let before = match &job.needs {
            Some(needs) => needs.iter().any(|n| n.job == *name),
            None => file.jobs.iter().any(|j| j.name == *name && place(file, j) < place(file, job)),
        };
        if !before {
            let fault = Fault::new(&faults::DEPENDENCY).at(at.clone());
            faults.push(fault.with("job", &job.name).with("need", name));
        }
    }
}

/// A circle of `needs` can only lie within one stage, but it is looked for everywhere: stages may be wrong as well.
fn circles(file: &File, faults: &mut Faults) {
    // 0: not seen; 1: on the path; 2: done.
    let mut marks = vec![0u8; file.jobs.len()];
    for start in 0..file.jobs.len() {
        let mut path: Vec<(usize, usize)> = Vec::new();
        if marks[start] == 0 {
            marks[start] = 1;
            path.push((start, 0));
        }
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some(need) = file.jobs[at].needs.as_deref().unwrap_or_default().get(*next) else {
                marks[at] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            let Some(to) = file.jobs.iter().position(|j| j.name == need.job) else { continue };
            match marks[to] {
                0 => {
                    marks[to] = 1;
                    path.push((to, 0));
                }
                1 => {
                    let from = path.iter().position(|(j, _)| *j == to).unwrap_or_default();
                    let names: Vec<&str> = path[from..].iter().map(|(j, _)| file.jobs[*j].name.as_str()).collect();
                    let circle = format!("{} → {}", names.join(" → "), file.jobs[to].name);
                    faults.push(Fault::new(&faults::NEED_CIRCLE).at(need.at.clone()).with("circle", circle));
                }
                _ => {}
            }
        }
    }
}
