using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// A connection whose transport takes interim responses, also one that is put in later, as HTTPS does it. So it does not matter whether it
/// was set up before or after HTTPS.
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

    /// <summary>What the inner connection has too, so that a request finds it among the features of its connection.</summary>
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

    /// <summary>Runs a connection with interim responses, and leaves its transport as it was. Once for a connection, however often it is called.</summary>
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
