using ResumableUploads.FaultTests.Crashes.Disks;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>A way in which a server ends unexpectedly, and the recovery before the next one can start.</summary>
internal abstract class Crash
{
    public abstract Task<ChildHost> StartAsync(string directory, string[] options);

    /// <summary>Ends the server at once. May be called again for a server that has already ended.</summary>
    public abstract void Trigger(ChildHost host);

    /// <summary>Makes the directory accessible again after the server has ended.</summary>
    public abstract Task RecoverAsync();
}

/// <summary>Kills the process. The operating system keeps what was written.</summary>
internal sealed class ProcessDeath : Crash
{
    public override Task<ChildHost> StartAsync(string directory, string[] options) => ChildHost.StartAsync(directory, options);

    public override void Trigger(ChildHost host) => host.Kill();

    public override Task RecoverAsync() => Task.CompletedTask;
}

/// <summary>Cuts the power. Data that was not made durable is lost, and the next server sees another boot id.</summary>
internal sealed class PowerLoss(LoopDisk disk) : Crash
{
    private readonly Lock _cutting = new();
    private ChildHost? _hit;
    private Guid _boot = Guid.NewGuid();

    public int Cuts { get; private set; }

    public override Task<ChildHost> StartAsync(string directory, string[] options)
    {
        // A boot id for this process alone.
        string boot = Path.Combine(disk.Root, "boot");
        File.WriteAllText(boot, _boot.ToString("D"));
        string[] command = ["unshare", "-m", "--propagation", "slave", "sh", "-c", $"mount --bind '{boot}' /proc/sys/kernel/random/boot_id && exec \"$@\"", "sh"];
        return ChildHost.StartUnderAsync(command, directory, options);
    }

    public override void Trigger(ChildHost host)
    {
        lock (_cutting)
        {
            if (_hit == host)
            {
                return;
            }

            // A machine without power reports nothing. Without the kill, the process could still receive results from a file system that is shutting
            // down and report them.
            _hit = host;
            host.SuspendThreads();
            disk.CutPower();
            host.Kill();
        }
    }

    public override async Task RecoverAsync()
    {
        Cuts++;
        _boot = Guid.NewGuid();
        await disk.RemountAsync();
    }
}
