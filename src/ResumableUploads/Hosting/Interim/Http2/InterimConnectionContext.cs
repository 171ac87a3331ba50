using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// A connection whose transport can send interim responses between the frames of the server. Also wraps a transport that is assigned later, for
/// example by the HTTPS middleware, so the order relative to the HTTPS middleware does not matter.
/// </summary>
internal sealed class InterimConnectionContext : ConnectionContext
{
    private readonly ConnectionContext _inner;

    private InterimConnectionContext(ConnectionContext inner)
    {
        _inner = inner;

        // The setter wraps the transport of the inner connection.
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
    /// Gets or sets the transport. The setter wraps the value and sets it on the inner connection, so that <c>IConnectionTransportFeature</c> returns
    /// the wrapped transport to requests.
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
    /// Invokes the next connection delegate with a transport that can send interim responses, and restores the original transport afterwards. If the
    /// connection is already wrapped, only invokes the next delegate.
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
