using ResumableUploads.FaultTests.Crashes.Disks;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>A way in which a server ends that nobody has asked to, and what it takes to start another one.</summary>
internal abstract class Crash
{
    public abstract Task<ChildHost> StartAsync(string directory, string[] options);

    /// <summary>Makes it happen, at once. May come again for one that has ended.</summary>
    public abstract void Hit(ChildHost host);

    /// <summary>When the server has ended: makes the directory accessible again.</summary>
    public abstract Task RecoverAsync();
}

/// <summary>The process dies; the system has what was written.</summary>
internal sealed class ProcessDeath : Crash
{
    public override Task<ChildHost> StartAsync(string directory, string[] options) => ChildHost.StartAsync(directory, options);

    public override void Hit(ChildHost host) => host.Kill();

    public override Task RecoverAsync() => Task.CompletedTask;
}

/// <summary>The power goes: what was not made durable is not on the disk. A server after that sees another boot of the machine.</summary>
internal sealed class PowerLoss(LoopDisk disk) : Crash
{
    private readonly Lock _cutting = new();
    private ChildHost? _hit;
    private Guid _boot = Guid.NewGuid();

    public int Cuts { get; private set; }

    public override Task<ChildHost> StartAsync(string directory, string[] options)
    {
        // The number of the boot, for this process alone.
        string boot = Path.Combine(disk.Place, "boot");
        File.WriteAllText(boot, _boot.ToString("D"));
        string[] command = ["unshare", "-m", "--propagation", "slave", "sh", "-c", $"mount --bind '{boot}' /proc/sys/kernel/random/boot_id && exec \"$@\"", "sh"];
        return ChildHost.StartUnderAsync(command, directory, options);
    }

    public override void Hit(ChildHost host)
    {
        lock (_cutting)
        {
            if (_hit == host)
            {
                return;
            }

            // Nothing is said by a machine without power. A process that went on for a moment could be told something by a file system that is
            // just being shut down, and say so.
            _hit = host;
            host.StandStill();
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
