using System.ComponentModel;
using System.Diagnostics;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>An ext4 file system in a file, which can be frozen: all writes to it wait.</summary>
internal sealed class LoopDisk : IDisposable
{
    private const long Size = 1L << 30;
    private const int UnmountAttempts = 50;
    private static readonly TimeSpan UnmountDelay = TimeSpan.FromMilliseconds(200);

    private LoopDisk(string path) => Path = path;

    /// <summary>Gets the mount point.</summary>
    public string Path { get; }

    /// <summary>Creates and mounts a disk, or returns the reason why that is not possible.</summary>
    public static (LoopDisk? Disk, string? Problem) TryMount(string directory)
    {
        string image = System.IO.Path.Combine(directory, "image");
        string path = Directory.CreateDirectory(System.IO.Path.Combine(directory, "mounted")).FullName;
        using (FileStream file = File.Create(image))
        {
            file.SetLength(Size);
        }

        string? problem = TryRun("fsfreeze", "--version") ?? TryRun("bash", "--version") ?? TryRun("mkfs.ext4", "-qF", image) ?? TryRun("mount", "-o", "loop", image, path);
        return problem is null ? (new LoopDisk(path), null) : (null, problem);
    }

    /// <summary>Freezes the file system until the result is disposed, until this process ends, and at most for <paramref name="limit"/>.</summary>
    public IDisposable Freeze(TimeSpan limit) => new FrozenDisk(Path, limit);

    public void Dispose()
    {
        // The files of a process that has just ended may still be open.
        for (int i = 0; TryRun("umount", Path) is { } problem; i++)
        {
            if (i == UnmountAttempts)
            {
                throw new InvalidOperationException(problem);
            }

            Task.Delay(UnmountDelay, TimeProvider.System).Wait();
        }
    }

    /// <summary>Runs a command. Returns the reason why it failed, or <see langword="null"/>.</summary>
    private static string? TryRun(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            output.Wait();
            return process.ExitCode == 0 ? null : $"{command} failed: {error.ReplaceLineEndings(" ").Trim()}";
        }
        catch (Win32Exception)
        {
            return $"{command} is not installed";
        }
    }

    /// <summary>
    /// Processes with pending writes to a frozen file system cannot be killed, so another process unfreezes it if this one does not: when its
    /// standard input ends, or after the time limit.
    /// </summary>
    private sealed class FrozenDisk : IDisposable
    {
        private readonly string _path;
        private readonly Process _watchdog;

        public FrozenDisk(string path, TimeSpan limit)
        {
            _path = path;
            _watchdog = Process.Start(
                new ProcessStartInfo("bash", ["-c", "read -t \"$0\"; fsfreeze -u \"$1\"", $"{(int)limit.TotalSeconds}", path]) { RedirectStandardInput = true, RedirectStandardError = true })!;
            if (TryRun("fsfreeze", "-f", path) is { } problem)
            {
                Dispose();
                throw new InvalidOperationException(problem);
            }
        }

        public void Dispose()
        {
            _ = TryRun("fsfreeze", "-u", _path);
            _watchdog.StandardInput.Close();
            _watchdog.WaitForExit();
            _watchdog.Dispose();
        }
    }
}
