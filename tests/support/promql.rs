//! Selectors and groupings of PromQL expressions.

use std::collections::BTreeSet;

use promql_parser::label::{METRIC_NAME, Matcher};
use promql_parser::parser::{self, BinModifier, Expr, LabelModifier, StringLiteral, VectorSelector};

/// Selectors and groupings of one expression.
#[derive(Debug, Default)]
pub struct Uses {
    /// Every selector, in order.
    pub selectors: Vec<Selector>,
    /// Every list of labels: of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`.
    pub groupings: Vec<Grouping>,
}

/// A selector of a metric.
#[derive(Debug)]
pub struct Selector {
    /// The metric.
    pub metric: String,
    /// The matchers, except that of the name.
    pub matchers: Vec<Matcher>,
    /// The aggregations around it, innermost first, except `topk` and `bottomk`, which keep all labels.
    pub aggregations: Vec<Aggregation>,
    /// The functions around it, innermost first.
    pub functions: Vec<&'static str>,
}

/// An aggregation around a selector.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// The operator, such as `sum`.
    pub does: String,
    /// The labels of its `by` or `without`.
    pub labels: LabelModifier,
}

/// A list of labels, with the metrics that it applies to.
#[derive(Debug)]
pub struct Grouping {
    /// The labels.
    pub labels: Vec<String>,
    /// The metrics in the expression that is grouped.
    pub metrics: BTreeSet<String>,
    /// The labels that functions in that expression write.
    pub written: BTreeSet<String>,
}

impl Selector {
    /// Returns the matcher of a label, the first if there are several.
    pub fn matcher(&self, label: &str) -> Option<&Matcher> {
        self.matchers.iter().find(|matcher| matcher.name == label)
    }

    /// Returns true if no aggregation removes the label.
    pub fn keeps(&self, label: &str) -> bool {
        self.aggregations.iter().all(|Aggregation { labels, .. }| {
            labels.labels().labels.iter().any(|name| name == label) == labels.is_include()
        })
    }
}

/// Parses an expression, with the variables of Grafana replaced, and returns what it uses.
pub fn read(expression: &str) -> Result<Uses, String> {
    let expression = replace_variables(expression);
    let tree = parser::parse(&expression).map_err(|error| format!("{error}: {expression}"))?;
    let mut uses = Uses::default();
    walk(&tree, &mut Context::default(), &mut uses);
    Ok(uses)
}

/// Replaces Grafana's variables: those of time by a duration, others by `$name`, which checks can recognize.
fn replace_variables(expression: &str) -> String {
    let mut out = String::new();
    let mut rest = expression;
    while let Some(start) = rest.find('$') {
        out += &rest[..start];
        rest = &rest[start + 1..];
        let braced = rest.strip_prefix('{');
        let text = braced.unwrap_or(rest);
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let name = &text[..end];
        rest = &text[end..];
        if braced.is_some() {
            rest = rest.split_once('}').map_or("", |(_, rest)| rest);
        }
        match name {
            "__rate_interval" | "__interval" | "__range" => out += "5m",
            "__range_s" | "__interval_ms" | "__range_ms" => out += "300",
            _ => out.extend(["$", name]),
        }
    }
    out + rest
}

/// Aggregations and functions around the current expression.
#[derive(Default)]
struct Context {
    aggregations: Vec<Aggregation>,
    functions: Vec<&'static str>,
}

/// Metrics and written labels of an expression.
#[derive(Default)]
struct Below {
    metrics: BTreeSet<String>,
    written: BTreeSet<String>,
}

impl Below {
    fn and(mut self, other: Self) -> Self {
        self.metrics.extend(other.metrics);
        self.written.extend(other.written);
        self
    }

    fn grouped(&self, labels: &[String]) -> Grouping {
        Grouping { labels: labels.to_vec(), metrics: self.metrics.clone(), written: self.written.clone() }
    }
}

fn walk(expr: &Expr, context: &mut Context, uses: &mut Uses) -> Below {
    match expr {
        Expr::Aggregate(aggregate) => {
            let does = aggregate.op.to_string();
            let adds = !["topk", "bottomk"].contains(&does.as_str());
            if adds {
                let labels = aggregate.modifier.clone().unwrap_or_else(|| LabelModifier::include(vec![]));
                context.aggregations.insert(0, Aggregation { does, labels });
            }
            let mut below = walk(&aggregate.expr, context, uses);
            if adds {
                context.aggregations.remove(0);
            }
            if let Some(param) = &aggregate.param {
                // The parameter of count_values is the label that it writes.
                if let Expr::StringLiteral(StringLiteral { val }) = &**param {
                    below.written.insert(val.clone());
                }
                below = below.and(walk(param, context, uses));
            }
            if let Some(modifier) = &aggregate.modifier {
                uses.groupings.push(below.grouped(&modifier.labels().labels));
            }
            below
        }
        Expr::Binary(binary) => {
            let below = walk(&binary.lhs, context, uses).and(walk(&binary.rhs, context, uses));
            if let Some(BinModifier { card, matching, .. }) = &binary.modifier {
                let lists = [matching.as_ref().map(LabelModifier::labels), card.labels()];
                uses.groupings.extend(lists.into_iter().flatten().map(|list| below.grouped(&list.labels)));
            }
            below
        }
        Expr::Call(call) => {
            context.functions.insert(0, call.func.name);
            let mut below = Below::default();
            for argument in &call.args.args {
                below = below.and(walk(argument, context, uses));
            }
            context.functions.remove(0);
            if ["label_replace", "label_join"].contains(&call.func.name)
                && let Some(Expr::StringLiteral(StringLiteral { val })) =
                    call.args.args.get(1).map(|target| &**target)
            {
                below.written.insert(val.clone());
            }
            below
        }
        Expr::VectorSelector(selector) => select(selector, context, uses),
        Expr::MatrixSelector(matrix) => select(&matrix.vs, context, uses),
        Expr::Unary(unary) => walk(&unary.expr, context, uses),
        Expr::Paren(paren) => walk(&paren.expr, context, uses),
        Expr::Subquery(subquery) => walk(&subquery.expr, context, uses),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Below::default(),
    }
}

fn select(selector: &VectorSelector, context: &Context, uses: &mut Uses) -> Below {
    let named = selector.matchers.matchers.iter().find(|matcher| matcher.name == METRIC_NAME);
    let metric =
        selector.name.clone().or_else(|| named.map(|matcher| matcher.value.clone())).unwrap_or_default();
    let all = selector.matchers.matchers.iter().chain(selector.matchers.or_matchers.iter().flatten());
    let matchers = all.filter(|matcher| matcher.name != METRIC_NAME).cloned().collect();
    uses.selectors.push(Selector {
        metric: metric.clone(),
        matchers,
        aggregations: context.aggregations.clone(),
        functions: context.functions.clone(),
    });
    Below { metrics: BTreeSet::from([metric]), written: BTreeSet::new() }
}

#[test]
fn an_expression_is_taken_apart() {
    let uses = read(
        r#"sum by (role) (label_replace(rate(a_total{job=~"$job",x="${x:regex}"}[$__rate_interval]), "to", "", "", ""))
           / on (job) group_left (name) topk by (job) (1, {__name__="b"})"#,
    )
    .unwrap();
    let metrics: Vec<_> = uses.selectors.iter().map(|selector| selector.metric.as_str()).collect();
    assert_eq!(metrics, ["a_total", "b"]);
    let [a, b] = &uses.selectors[..] else { panic!("two: {uses:?}") };
    assert_eq!(a.matcher("job").unwrap().value, "$job");
    assert_eq!(a.matcher("x").unwrap().value, "$x");
    assert_eq!(a.functions, ["rate", "label_replace"]);
    assert!(a.keeps("role") && !a.keeps("job"), "{a:?}");
    assert!(b.matchers.is_empty() && b.keeps("anything"), "{b:?}");
    let labels: Vec<_> = uses.groupings.iter().map(|grouping| grouping.labels.join(" ")).collect();
    assert_eq!(labels, ["role", "job", "job", "name"]);
    assert!(uses.groupings[0].written.contains("to"));
    assert!(read("sum(").is_err());
}
