using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.TestKit.Support;

/// <summary>What a case says of a store. These are few, so that the package depends on no test framework.</summary>
internal static class CaseAssert
{
    private const int MaxTextLength = 300;

    [DoesNotReturn]
    public static void Fail(string message) => throw new CheckFailedException(message);

    public static void True([DoesNotReturnIf(false)] bool condition, string message = "What was to be true is false.")
    {
        if (!condition)
        {
            Fail(message);
        }
    }

    public static void False(bool condition, string message = "What was to be false is true.") => True(!condition, message);

    public static void Equal(byte[] expected, byte[]? actual)
    {
        int same = expected.AsSpan().CommonPrefixLength(actual);
        True(
            actual is not null && same == expected.Length && same == actual.Length,
            $"Expected {expected.Length} bytes, got {actual?.Length.ToString() ?? "none"}; they differ from byte {same} on.");
    }

    public static void Equal<T>(T expected, T actual)
    {
        if (expected is IEnumerable first and not string && actual is IEnumerable second)
        {
            Equal(first.Cast<object?>(), second.Cast<object?>());
            return;
        }

        True(EqualityComparer<T>.Default.Equals(expected, actual), $"Expected {Format(expected)}, got {Format(actual)}.");
    }

    public static void Equal<T>(IEnumerable<T> expected, IEnumerable<T> actual)
    {
        List<T> first = [.. expected];
        List<T> second = [.. actual];
        True(first.SequenceEqual(second), $"Expected [{string.Join(", ", first)}], got [{string.Join(", ", second)}].");
    }

    public static void Equal(DateTimeOffset expected, DateTimeOffset actual, TimeSpan precision) =>
        True((expected - actual).Duration() <= precision, $"Expected {expected:O} give or take {precision}, got {actual:O}.");

    public static void NotEqual<T>(T expected, T actual) =>
        False(EqualityComparer<T>.Default.Equals(expected, actual), $"Expected another value than {Format(expected)}.");

    public static void Null<T>(T value) => True(value is null, $"Expected nothing, got {Format(value)}.");

    public static void NotNull<T>([NotNull] T value)
    {
        if (value is null)
        {
            Fail($"Expected a {typeof(T).Name}, got nothing.");
        }
    }

    public static T RequireNotNull<T>(T? value)
        where T : class
    {
        NotNull(value);
        return value;
    }

    public static void Empty(IEnumerable values) => Equal(0, values.Cast<object?>().Count());

    public static void NotEmpty(IEnumerable values) => NotEqual(0, values.Cast<object?>().Count());

    public static T Single<T>(IEnumerable<T> values, Func<T, bool> isWanted)
    {
        List<T> found = [.. values.Where(isWanted)];
        True(found.Count == 1, $"Expected exactly one, got {found.Count}: [{string.Join(", ", values)}].");
        return found[0];
    }

    public static void All<T>(IEnumerable<T> values, Action<T> check)
    {
        foreach (T value in values)
        {
            check(value);
        }
    }

    public static void Contains<T>(T wanted, IEnumerable<T> values) =>
        True(values.Contains(wanted), $"Expected one of [{string.Join(", ", values)}], got {Format(wanted)}.");

    public static void InRange<T>(T value, T least, T most)
        where T : IComparable<T> =>
        True(value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0, $"Expected {least} to {most}, got {value}.");

    /// <summary>The call ends in the exception or one derived from it.</summary>
    public static async Task ThrowsAsync<T>(Func<Task> call)
        where T : Exception
    {
        try
        {
            await call();
        }
        catch (T)
        {
            return;
        }
        catch (Exception e)
        {
            Fail($"Expected a {typeof(T).Name}, got a {e.GetType().Name}: {e.Message}");
        }

        Fail($"Expected a {typeof(T).Name}, got an answer.");
    }

    private static string Format<T>(T value)
    {
        string text = value?.ToString() ?? "nothing";
        return text.Length > MaxTextLength ? text[..MaxTextLength] + "..." : text;
    }
}

/// <summary>A check failed.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);
