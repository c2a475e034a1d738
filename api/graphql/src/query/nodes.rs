//! Anything by its id, and whoever asks.

use crate::{
    auth::Scope,
    error::Fault,
    id::NodeId,
    query::{Needs, identity, require, services, views_at},
    scalar::Cursor,
    types::{Callback, Mailbox, Node, ServerNode, Trunk, Viewer, Voicemail},
};
use async_graphql::{Context, ID, Object, Result};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct NodeQueries;

#[Object]
impl NodeQueries {
    /// Whatever has that id, for whoever may see its kind.
    async fn node(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Node>> {
        let id = NodeId::parse(&id).ok_or_else(|| Fault::validation("that is no id").of("id"))?;
        let (scope, needed): (_, &[View]) = match id {
            NodeId::Call(_) => (Scope::CallRead, &[View::LiveCalls, View::Cdr]),
            NodeId::Agent(_) => (Scope::AgentRead, &[View::AgentStates]),
            NodeId::Queue(_) => (Scope::QueueRead, &[View::QueueStats]),
            NodeId::Trunk(_) => (Scope::SystemConfig, &[View::Trunks]),
            NodeId::Callback(_) => (Scope::CallRead, &[View::Callbacks]),
            NodeId::Mailbox(_) => (Scope::VoicemailAccess, &[View::Mailboxes]),
            NodeId::Voicemail(_) => (Scope::VoicemailAccess, &[View::Voicemails]),
        };
        require(ctx, scope)?;
        let views = views_at(ctx, needed, min_position).await?;
        let node = match id {
            NodeId::Call(id) => {
                let call = views.call(id).await;
                call.map(|call| call.map(|call| Node::Call(call.into())))
            }
            NodeId::Agent(id) => {
                let row = views.agent(id).await;
                row.map(|row| row.map(|row| Node::Agent(row.into())))
            }
            NodeId::Queue(id) => {
                let row = views.queue(id).await;
                row.map(|row| row.map(|row| Node::Queue(row.into())))
            }
            NodeId::Trunk(id) => {
                let row = views.trunk(id).await;
                row.map(|row| row.map(|row| Node::Trunk(Trunk(row))))
            }
            NodeId::Callback(id) => {
                let row = views.callback(id).await;
                row.map(|row| row.map(|row| Node::Callback(Callback(row))))
            }
            NodeId::Mailbox(id) => {
                let row = views.mailbox(id).await;
                row.map(|row| row.map(|row| Node::Mailbox(Mailbox(row))))
            }
            NodeId::Voicemail(id) => {
                let row = views.voicemail(id).await;
                row.map(|row| row.map(|row| Node::Voicemail(Voicemail(row))))
            }
        };
        Ok(node.map_err(Fault::from)?)
    }

    /// The servers that share the record, in the order in which they started.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Vec<ServerNode>> {
        let roster = &services(ctx)?.roster;
        let seen = roster.seen();
        let nodes = seen.members.iter().map(|member| ServerNode {
            is_self: member.node_epoch == roster.node_epoch(),
            member: member.clone(),
        });
        Ok(nodes.collect())
    }

    /// The holder of the token.
    async fn me(&self, ctx: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(identity(ctx)?.clone()))
    }
}
