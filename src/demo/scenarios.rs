//! The scenarios: one organization per situation that the dashboards, the alerts and the tests need.

use std::ops::Range;

use serde::Serialize;

use super::world::{WHITELABEL_NAME, WHITELABEL_OWNER, spread};

const TERABYTE: f64 = 1e12;
const GIGABYTE: f64 = 1e9;
const HOUR: f64 = 3600.0;

/// Entitlement limits of an organization; `None` is no limit. Serialized like `EntitlementLimits` of the API.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    /// Storage, in bytes.
    #[serde(rename = "totalStorage", skip_serializing_if = "Option::is_none")]
    pub storage: Option<f64>,
    /// CPU and GPU compute time added, in seconds per year.
    #[serde(rename = "computeTimePerYear", skip_serializing_if = "Option::is_none")]
    pub compute: Option<f64>,
    /// GPU compute time, in seconds per year.
    #[serde(rename = "gpuComputeTimePerYear", skip_serializing_if = "Option::is_none")]
    pub gpu_compute: Option<f64>,
    /// Number of projects.
    #[serde(rename = "numberOfProjects", skip_serializing_if = "Option::is_none")]
    pub projects: Option<u64>,
    /// Number of users.
    #[serde(rename = "numberOfUsers", skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
}

impl Limits {
    pub(super) const NONE: Self =
        Self { storage: None, compute: None, gpu_compute: None, projects: None, users: None };

    /// Returns a limit for every entitlement, from terabytes, hours of compute time, hours of GPU compute time, projects
    /// and users.
    pub(super) const fn of(terabytes: f64, hours: f64, gpu_hours: f64, projects: u64, users: u64) -> Self {
        Self {
            storage: Some(terabytes * TERABYTE),
            compute: Some(hours * HOUR),
            gpu_compute: Some(gpu_hours * HOUR),
            projects: Some(projects),
            users: Some(users),
        }
    }
}

/// An enterprise trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// Id.
    pub id: u64,
    /// Days from the start of the demo to the end of the trial; negative if the trial has ended.
    pub ends: f64,
    /// Whether it was upgraded.
    pub upgraded: bool,
}

/// How a pipeline of the demo behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PipelineState {
    /// Runs every night.
    Working,
    /// Has failed since the last night.
    Failing,
    /// Has not started for two nights.
    Overdue,
    /// Runs all day long.
    Running,
}

/// The parameters of an organization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) limits: Limits,
    /// Age of the contract at the start of the demo, in days.
    pub(super) contract: Option<f64>,
    /// Storage in use at the start of the demo and growth per day, in bytes.
    pub(super) storage: (f64, f64),
    /// CPU and GPU compute time per day, in seconds.
    pub(super) compute: (f64, f64),
    pub(super) members: u64,
    pub(super) projects: u64,
    /// Name and type of each dataset.
    pub(super) datasets: &'static [(&'static str, &'static str)],
    /// Name of each storage bucket, and whether it can be reached.
    pub(super) buckets: &'static [(&'static str, bool)],
    /// Name and behaviour of each pipeline.
    pub(super) pipelines: &'static [(&'static str, PipelineState)],
    pub(super) trial: Option<Trial>,
    pub(super) whitelabel: bool,
    pub(super) developer_profile: bool,
    /// Days without activity at the start of the demo.
    pub(super) inactive: Option<f64>,
}

impl Scenario {
    pub(super) const fn project_ids(&self) -> Range<u64> {
        let first = self.id * 1000;
        first..first + self.projects
    }

    pub(super) fn private_projects(&self) -> u64 {
        self.project_ids().filter(|id| !is_public(*id)).count() as u64
    }
}

pub(super) fn is_public(project_id: u64) -> bool {
    spread(project_id, 2) > 0.93
}

const DEFAULT: Scenario = Scenario {
    id: 0,
    name: "",
    limits: Limits::NONE,
    contract: None,
    storage: (0.0, 0.0),
    compute: (0.0, 0.0),
    members: 1,
    projects: 1,
    datasets: &[],
    buckets: &[("demo-bucket", true)],
    pipelines: &[],
    trial: None,
    whitelabel: false,
    developer_profile: false,
    inactive: None,
};

pub(super) const SCENARIOS: [Scenario; 11] = [
    // No problems, except clinical items with a failed checklist, and a pipeline that is overdue.
    Scenario {
        id: 1001,
        name: "Aurora Health",
        limits: Limits::of(20.0, 4000.0, 1000.0, 100, 60),
        contract: Some(200.0),
        storage: (9.1 * TERABYTE, 12.0 * GIGABYTE),
        compute: (4.1 * HOUR, 0.9 * HOUR),
        members: 34,
        projects: 52,
        datasets: &[("ecg-holter", "clinical"), ("gait-study", "clinical"), ("sleep-apnea", "files")],
        pipelines: &[("holter-import", PipelineState::Working), ("gait-quality", PipelineState::Overdue)],
        ..DEFAULT
    },
    // Storage is nearly full: the limit is reached in about twelve days. One bucket has lost its connection.
    Scenario {
        id: 1002,
        name: "Borealis Wearables",
        limits: Limits::of(10.0, 3000.0, 800.0, 40, 30),
        contract: Some(150.0),
        storage: (8.8 * TERABYTE, 100.0 * GIGABYTE),
        compute: (3.0 * HOUR, 0.5 * HOUR),
        members: 21,
        projects: 31,
        datasets: &[("wrist-accelerometer", "files"), ("ppg-raw", "files"), ("field-trial-7", "files")],
        buckets: &[("demo-bucket", true), ("wearables-archive", false)],
        ..DEFAULT
    },
    // Half of the compute time of a year is used after a third of the year. A pipeline failed last night.
    Scenario {
        id: 1003,
        name: "Cascade Robotics",
        limits: Limits::of(15.0, 2000.0, 1200.0, 60, 25),
        contract: Some(120.0),
        storage: (4.2 * TERABYTE, 8.0 * GIGABYTE),
        compute: (3.6 * HOUR, 5.2 * HOUR),
        members: 18,
        projects: 37,
        datasets: &[("warehouse-video", "files"), ("grip-force", "files")],
        pipelines: &[("video-to-project", PipelineState::Failing), ("grip-retraining", PipelineState::Running)],
        ..DEFAULT
    },
    // More projects than the limit, and as many users as the limit.
    Scenario {
        id: 1004,
        name: "Delta Agritech",
        limits: Limits { gpu_compute: None, ..Limits::of(5.0, 1000.0, 0.0, 20, 12) },
        contract: Some(280.0),
        storage: (1.9 * TERABYTE, 3.0 * GIGABYTE),
        compute: (1.6 * HOUR, 0.2 * HOUR),
        members: 12,
        projects: 23,
        datasets: &[("leaf-images", "files")],
        ..DEFAULT
    },
    // No limits.
    Scenario {
        id: 1005,
        name: "Everest Research",
        storage: (31.0 * TERABYTE, 40.0 * GIGABYTE),
        compute: (9.0 * HOUR, 6.0 * HOUR),
        members: 47,
        projects: 88,
        datasets: &[("seismic", "files"), ("avalanche-audio", "files")],
        ..DEFAULT
    },
    // A trial that ends in five days.
    Scenario {
        id: 1006,
        name: "Fjord Startup",
        limits: Limits::of(0.5, 100.0, 20.0, 10, 5),
        storage: (0.12 * TERABYTE, 4.0 * GIGABYTE),
        compute: (0.5 * HOUR, 0.1 * HOUR),
        members: 3,
        projects: 4,
        trial: Some(Trial { id: 31, ends: 5.0, upgraded: false }),
        ..DEFAULT
    },
    // Owner and member of the white label.
    Scenario {
        id: WHITELABEL_OWNER,
        name: WHITELABEL_NAME,
        limits: Limits::of(40.0, 9000.0, 3000.0, 400, 150),
        contract: Some(90.0),
        storage: (11.0 * TERABYTE, 20.0 * GIGABYTE),
        compute: (10.0 * HOUR, 4.0 * HOUR),
        members: 62,
        projects: 140,
        datasets: &[("onboarding-samples", "files")],
        whitelabel: true,
        ..DEFAULT
    },
    // A trial that expired less than 30 days ago, before its data is deleted.
    Scenario {
        id: 1008,
        name: "Glacier Prototypes",
        storage: (0.09 * TERABYTE, 0.0),
        members: 2,
        projects: 3,
        trial: Some(Trial { id: 28, ends: -12.0, upgraded: false }),
        inactive: Some(12.0),
        ..DEFAULT
    },
    // No activity for months.
    Scenario {
        id: 1009,
        name: "Harbor Dormant Systems",
        limits: Limits::of(8.0, 1500.0, 300.0, 30, 20),
        contract: Some(345.0),
        storage: (2.4 * TERABYTE, 0.0),
        members: 9,
        projects: 14,
        datasets: &[("pump-vibration", "files")],
        inactive: Some(130.0),
        ..DEFAULT
    },
    // A name with quotes, a backslash, a line break and characters outside ASCII.
    Scenario {
        id: 1010,
        name: "Ünïcode \"Sensing\" \\ Labs\n株式会社 🛰",
        limits: Limits::of(2.0, 500.0, 100.0, 15, 10),
        contract: Some(40.0),
        storage: (0.7 * TERABYTE, 2.0 * GIGABYTE),
        compute: (0.8 * HOUR, 0.2 * HOUR),
        members: 7,
        projects: 9,
        datasets: &[("日本語 \"data\"", "files")],
        trial: Some(Trial { id: 12, ends: -90.0, upgraded: true }),
        ..DEFAULT
    },
    // A developer profile, for which the API refuses the usage call.
    Scenario {
        id: 1011,
        name: "demo-user",
        storage: (0.02 * TERABYTE, 0.0),
        projects: 2,
        developer_profile: true,
        ..DEFAULT
    },
];
