using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Nodes;

/// <summary>Two nodes that share one storage. A node that is killed starts again.</summary>
internal sealed class NodePair : IAsyncDisposable
{
    private readonly NodeStorage _storage;
    private readonly string[] _options;
    private readonly ChildHost[] _nodes;
    private int _killed;

    private NodePair(NodeStorage storage, string[] options, ChildHost[] nodes)
    {
        _storage = storage;
        _options = options;
        _nodes = nodes;
    }

    /// <summary>Gets the number of kills.</summary>
    public int Kills => _killed;

    public static async Task<NodePair> StartAsync(NodeStorage storage, params string[] options)
    {
        string[] all = [.. storage.Options, .. options];
        return new NodePair(storage, all, await Task.WhenAll(ChildHost.StartAsync(storage.Directory.Root, all), ChildHost.StartAsync(storage.Directory.Root, all)));
    }

    /// <summary>Returns a node, which may have been killed.</summary>
    public ChildHost this[int index] => Volatile.Read(ref _nodes[index]);

    /// <summary>Kills the nodes in turn. Returns when the killed node has started again.</summary>
    public async Task KillNextAsync()
    {
        int index = Interlocked.Increment(ref _killed) % _nodes.Length;
        ChildHost killed = _nodes[index];
        killed.Kill();
        await killed.EndAsync();
        Volatile.Write(ref _nodes[index], await ChildHost.StartAsync(_storage.Directory.Root, _options));
        await killed.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ChildHost node in _nodes)
        {
            await node.DisposeAsync();
        }
    }
}
