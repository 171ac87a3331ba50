using System.Buffers;

namespace ResumableUploads.UnitTests.Stores.Memory;

/// <summary>A pool that counts, overwrites what comes back, and hands it out again at once: a use after the return shows.</summary>
internal sealed class PoisonPool : ArrayPool<byte>
{
    public const byte Poison = 0xDD;

    private readonly Lock _gate = new();
    private readonly HashSet<byte[]> _rented = new(ReferenceEqualityComparer.Instance);
    private readonly List<byte[]> _returned = [];

    /// <summary>How many arrays are out now.</summary>
    public int Rented
    {
        get
        {
            lock (_gate)
            {
                return _rented.Count;
            }
        }
    }

    /// <summary>How many bytes the arrays have that are out now.</summary>
    public long RentedBytes
    {
        get
        {
            lock (_gate)
            {
                return _rented.Sum(array => (long)array.Length);
            }
        }
    }

    /// <summary>The length of the largest array that was ever asked for.</summary>
    public int Largest { get; private set; }

    /// <summary>How many arrays came back that were not out.</summary>
    public int FalseReturns { get; private set; }

    public override byte[] Rent(int minimumLength)
    {
        lock (_gate)
        {
            Largest = Math.Max(Largest, minimumLength);
            byte[] array = _returned.Find(candidate => candidate.Length == minimumLength) ?? new byte[minimumLength];
            _returned.Remove(array);
            _rented.Add(array);
            return array;
        }
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        lock (_gate)
        {
            if (!_rented.Remove(array))
            {
                FalseReturns++;
                return;
            }

            array.AsSpan().Fill(Poison);
            _returned.Add(array);
        }
    }
}
