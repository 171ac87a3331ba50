using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// A connection whose transport accepts interim responses. A transport that is assigned later, as the HTTPS middleware does, is wrapped too, so
/// this middleware can be registered before or after HTTPS.
/// </summary>
internal sealed class InterimConnectionContext : ConnectionContext
{
    private readonly ConnectionContext _inner;

    private InterimConnectionContext(ConnectionContext inner)
    {
        _inner = inner;
        Transport = inner.Transport;
    }

    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    public override IFeatureCollection Features => _inner.Features;

    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    /// <summary>
    /// Gets or sets the transport of the inner connection, which is also what requests get from <c>IConnectionTransportFeature</c>. A transport that
    /// is assigned here is wrapped.
    /// </summary>
    public override IDuplexPipe Transport
    {
        get => _inner.Transport;
        set => _inner.Transport = InterimDuplexPipe.Wrap(value);
    }

    public override CancellationToken ConnectionClosed
    {
        get => _inner.ConnectionClosed;
        set => _inner.ConnectionClosed = value;
    }

    public override EndPoint? LocalEndPoint
    {
        get => _inner.LocalEndPoint;
        set => _inner.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => _inner.RemoteEndPoint;
        set => _inner.RemoteEndPoint = value;
    }

    /// <summary>
    /// Runs a connection with a transport that accepts interim responses, and restores the original transport afterwards. Does nothing if the
    /// connection has such a transport already.
    /// </summary>
    public static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection is InterimConnectionContext)
        {
            await next(connection);
            return;
        }

        IDuplexPipe transport = connection.Transport;
        try
        {
            await next(new InterimConnectionContext(connection));
        }
        finally
        {
            connection.Transport = transport;
        }
    }

    public override void Abort() => _inner.Abort();

    public override void Abort(ConnectionAbortedException abortReason) => _inner.Abort(abortReason);

    public override async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        await base.DisposeAsync();
    }
}
