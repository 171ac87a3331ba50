using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO.Linux;

/// <summary>Writes many memory segments with one system call. The framework can do that too, but allocates lists for each call.</summary>
internal static unsafe class GatherWriter
{
    private const int MaxSegments = 64;

    /// <summary>Writes all bytes, with several calls if the system writes only a part.</summary>
    public static void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
    {
        while (!content.IsEmpty)
        {
            nint written = WriteGathered(file.Handle, content, offset);
            if (written <= 0)
            {
                // Without this check, a call that writes nothing and reports no error would be repeated forever.
                throw written < 0
                    ? NativeMethods.CreateException("Writing", file.Path)
                    : new IOException($"Writing '{file.Path}' at offset {offset} wrote no bytes.");
            }

            offset += written;
            content = content.Slice(written);
        }
    }

    private static nint WriteGathered(SafeFileHandle file, in ReadOnlySequence<byte> content, long offset)
    {
        IoVector* vectors = stackalloc IoVector[MaxSegments];
        MemoryHandles pins = default;
        int count = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> segment in content)
            {
                if (count == MaxSegments)
                {
                    break;
                }

                pins[count] = segment.Pin();
                vectors[count] = new IoVector { Start = (byte*)pins[count].Pointer, Length = segment.Length };
                count++;
            }

            nint written;
            do
            {
                written = NativeMethods.PWriteV(file, vectors, count, offset);
            }
            while (written < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

            return written;
        }
        finally
        {
            int error = Marshal.GetLastPInvokeError();
            for (int i = 0; i < count; i++)
            {
                pins[i].Dispose();
            }

            Marshal.SetLastPInvokeError(error);
        }
    }

    [InlineArray(MaxSegments)]
    private struct MemoryHandles
    {
        private MemoryHandle _first;
    }
}
