using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>
/// Delays each sync of this process, as a disk does that processes any number of syncs at the same time. The kernel reports each <c>fsync</c>,
/// <c>fdatasync</c> and <c>syncfs</c> to a thread of this class (<see href="https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html"/>), which
/// lets it continue after the delay. Other system calls are not affected. strace can delay syncs too, but it also stops each new thread and processes
/// about 1,000 syncs per second.
/// </summary>
internal static class SyncDelay
{
    private const int NoNewPrivileges = 38;
    private const int SetFilter = 1;

    // TSYNC, SPEC_ALLOW, NEW_LISTENER, TSYNC_ESRCH, WAIT_KILLABLE_RECV
    private const int FilterFlags = 1 | 4 | 8 | 16 | 32;
    private const nuint ReceiveRequest = 0xC0502100;
    private const nuint SendRequest = 0xC0182101;
    private const int NotificationSize = 80;
    private const int ResponseSize = 24;
    private const int ResponseFlagsOffset = 20;
    private const int ContinueFlag = 1;
    private const int Priority = -10;

    private static readonly Version s_minKernel = new(5, 19);
    private static readonly BlockingCollection<PendingSync> s_pending = [];
    private static long s_count;

    /// <summary>Gets the reason why syncs cannot be delayed, or <see langword="null"/>.</summary>
    public static string? UnavailableReason => OperatingSystem.IsLinux() && Environment.OSVersion.Version >= s_minKernel && SystemCalls.Current is not null ? null : "delaying syncs requires Linux 5.19 on x64 or arm64";

    /// <summary>Gets the number of syncs since the start.</summary>
    public static long Count => Interlocked.Read(ref s_count);

    /// <summary>Delays all syncs of this process from now on.</summary>
    public static void Start(TimeSpan delay)
    {
        int listener = InstallFilter(SystemCalls.Current!);
        StartThread(() => Receive(listener, delay));
        StartThread(() => Release(listener));
    }

    private static int InstallFilter(SystemCalls calls)
    {
        ulong[] program =
        [
            Instruction(0x20, 0, 0),
            Instruction(0x15, 3, calls.FSync),
            Instruction(0x15, 2, calls.FDataSync),
            Instruction(0x15, 1, calls.SyncFs),
            Instruction(0x06, 0, 0x7FFF0000),
            Instruction(0x06, 0, 0x7FC00000),
        ];
        GCHandle pinned = GCHandle.Alloc(program, GCHandleType.Pinned);
        var header = new FilterProgram { Length = (ushort)program.Length, Instructions = pinned.AddrOfPinnedObject() };
        long listener = PrCtl(NoNewPrivileges, 1, 0, 0, 0) == 0 ? Seccomp(calls.Seccomp, SetFilter, FilterFlags, ref header) : -1;
        pinned.Free();
        return listener >= 0 ? (int)listener : throw new InvalidOperationException($"The kernel refused the filter with error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Returns an instruction of the classic BPF. If it is a comparison, it skips <paramref name="jump"/> instructions if the values are equal.</summary>
    private static ulong Instruction(ushort code, byte jump, uint operand) => code | ((ulong)jump << 16) | ((ulong)operand << 32);

    private static void StartThread(Action loop) => new Thread(() =>
    {
        // A disk does not compete for the processors. Without the permission, the priority stays the same.
        _ = SetPriority(0, 0, Priority);
        loop();
    })
    { IsBackground = true }.Start();

    private static void Receive(int listener, TimeSpan delay)
    {
        while (true)
        {
            byte[] notification = new byte[NotificationSize];
            if (Control(listener, ReceiveRequest, notification) == 0)
            {
                Interlocked.Increment(ref s_count);
                s_pending.Add(new PendingSync(BitConverter.ToUInt64(notification), PreciseSleep.After(Stopwatch.GetTimestamp(), delay)));
            }
        }
    }

    private static void Release(int listener)
    {
        foreach (PendingSync sync in s_pending.GetConsumingEnumerable())
        {
            PreciseSleep.Until(sync.Due);
            byte[] response = new byte[ResponseSize];
            BitConverter.TryWriteBytes(response, sync.Id);
            BitConverter.TryWriteBytes(response.AsSpan(ResponseFlagsOffset), ContinueFlag);
            _ = Control(listener, SendRequest, response);
        }
    }

    [DllImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static extern int PrCtl(int option, nuint value, nuint unused3, nuint unused4, nuint unused5);

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static extern nint Seccomp(nint number, nint operation, nint flags, ref FilterProgram program);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Control(int file, nuint request, [In, Out] byte[] argument);

    [DllImport("libc", EntryPoint = "setpriority")]
    private static extern int SetPriority(int which, int id, int priority);

    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public nint Instructions;
    }

    /// <summary>A sync that waits. All have the same delay, so the first one that came is the first one that continues.</summary>
    private readonly record struct PendingSync(ulong Id, long Due);

    /// <summary>The numbers of system calls.</summary>
    private sealed record SystemCalls(uint FSync, uint FDataSync, uint SyncFs, nint Seccomp)
    {
        public static SystemCalls? Current => RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => new(74, 75, 306, 317),
            Architecture.Arm64 => new(82, 83, 267, 277),
            _ => null,
        };
    }
}
