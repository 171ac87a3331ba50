using System.Diagnostics;

namespace TwoNodes;

/// <summary>The process of a node. Its output is copied to the console.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _output;

    public NodeProcess(string name, IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(NodeProcess).Assembly.Location);
        }

        foreach (string argument in (string[])["--node", name, .. args])
        {
            start.ArgumentList.Add(argument);
        }

        Name = name;
        _process = Process.Start(start)!;
        _output = CopyOutputAsync();
    }

    public string Name { get; }

    public int Id => _process.Id;

    /// <summary>Gets the address of the node. The task fails if the process ends before the node is ready.</summary>
    public Task<string> Address => _address.Task;

    public Task WaitForExitAsync() => _process.WaitForExitAsync();

    /// <summary>Stops the node, and kills its process if it does not end.</summary>
    public async Task StopAsync(TimeSpan timeout)
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            _process.Kill();
        }

        await _output;
    }

    public void Dispose() => _process.Dispose();

    private async Task CopyOutputAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(Node.ReadyPrefix, StringComparison.Ordinal))
            {
                _address.TrySetResult(line[Node.ReadyPrefix.Length..]);
            }
            else
            {
                Console.WriteLine($"[{Name}] {line}");
            }
        }

        _address.TrySetException(new InvalidOperationException($"Node {Name} ended before it was ready."));
    }
}
