using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes;
using ResumableUploads.FaultTests.Crashes.Disks;
using ResumableUploads.FaultTests.Network;
using ResumableUploads.FaultTests.Network.Senders;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>A fault of the server.</summary>
internal enum ServerFault
{
    Kill,
    Restart,
    LossOfPower,
    FullDisk,
}

/// <summary>A directory on its own disk, and one process at a time that serves it.</summary>
internal sealed class SoakServer(LoopDisk disk, string[] options) : IUploadServer, IAsyncDisposable
{
    /// <summary>Longer than the wait for the end of a process, so that a server that has ended has not waited for it.</summary>
    private const string ShutdownTimeout = "shutdownTimeoutSeconds=1800";

    private readonly PowerLoss _power = new(disk);
    private volatile TaskCompletionSource<Uri> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Uri? _address;
    private ChildHost? _process;
    private string _endedLogs = "";
    private int _fullMoments;

    public UploadDirectory Directory { get; } = new(Path.Combine(disk.Path, "uploads"));

    public string StatusPath => "/status";

    public string Scope => UploadScopes.OfMiddleware();

    public IUploadStore? Store => null;

    public int FullMoments => Volatile.Read(ref _fullMoments);

    /// <summary>Gets the address, or null if there is no server.</summary>
    public Uri? Address => _address;

    /// <summary>Gets the last lines of the logs of all processes.</summary>
    public string Log => string.Join('\n', (_endedLogs + _process?.Errors).Split('\n').TakeLast(80));

    public Task<Uri> ReadyAsync(CancellationToken cancellationToken) => _ready.Task.WaitAsync(ChildHost.Timeout, cancellationToken);

    public async Task StartAsync()
    {
        _process = await _power.StartAsync(Directory.Root, [.. options, ShutdownTimeout]);
        _address = _process.Address;
        _ready.TrySetResult(_process.Address);
    }

    /// <summary>Ends the process in the given way and makes the disk accessible again.</summary>
    public async Task EndAsync(ServerFault how)
    {
        ChildHost process = _process!;
        _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        switch (how)
        {
            case ServerFault.Kill:
                process.Kill();
                break;
            case ServerFault.LossOfPower:
                _power.Trigger(process);
                break;
            default:
                process.Terminate();
                break;
        }

        await process.EndAsync();
        _address = null;
        if (how == ServerFault.LossOfPower)
        {
            await _power.RecoverAsync();
        }
        else if (how == ServerFault.Restart && process.ExitCode != 0)
        {
            throw new NetworkTestException($"The server received SIGTERM and exited with {process.ExitCode}.");
        }

        _endedLogs += process.Errors;
        _process = null;
        await process.DisposeAsync();
    }

    /// <summary>Fills the disk.</summary>
    public void Fill()
    {
        Interlocked.Increment(ref _fullMoments);
        DiskFiller.Fill(disk.Path);
    }

    /// <summary>Frees the space again, unless a power loss has already done so.</summary>
    public void FreeSpace()
    {
        File.Delete(Path.Combine(disk.Path, "ballast"));
        Interlocked.Increment(ref _fullMoments);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
