using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Writes many pieces of memory by one call of the system. The framework does that too, and makes lists for each call.</summary>
internal static unsafe class GatheredWrite
{
    private const int AtOnce = 64;

    /// <summary>Whether the call takes the offset as it is declared here.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>Writes all of it, also where the system takes a part at a time.</summary>
    public static void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset, string path)
    {
        int next = 0;
        int skipped = 0;
        while (next < buffers.Count)
        {
            nint written = WriteSome(file, buffers, next, skipped, offset);
            if (written <= 0)
            {
                // A call that writes nothing and names no error would be made for ever.
                throw written < 0 ? Native.Error("Writing", path) : new IOException($"Writing '{path}' at {offset} came to nothing.");
            }

            offset += written;
            for (written += skipped; next < buffers.Count && written >= buffers[next].Length; next++)
            {
                written -= buffers[next].Length;
            }

            skipped = (int)written;
        }
    }

    private static nint WriteSome(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> buffers, int first, int skipped, long offset)
    {
        IoVector* vectors = stackalloc IoVector[AtOnce];
        Pins pins = default;
        int count = Math.Min(buffers.Count - first, AtOnce);
        int pinned = 0;
        try
        {
            for (; pinned < count; pinned++)
            {
                ReadOnlyMemory<byte> buffer = buffers[first + pinned];
                pins[pinned] = buffer.Pin();
                int from = pinned == 0 ? skipped : 0;
                vectors[pinned] = new IoVector { Start = (byte*)pins[pinned].Pointer + from, Length = buffer.Length - from };
            }

            nint written;
            do
            {
                written = Native.WriteAt(file, vectors, count, offset);
            }
            while (written < 0 && Marshal.GetLastPInvokeError() == Native.Interrupted);

            return written;
        }
        finally
        {
            int error = Marshal.GetLastPInvokeError();
            for (int i = 0; i < pinned; i++)
            {
                pins[i].Dispose();
            }

            Marshal.SetLastPInvokeError(error);
        }
    }

    [InlineArray(AtOnce)]
    private struct Pins
    {
        private MemoryHandle _first;
    }
}
